//! The engine over a real store: modules against goldens of nixpkgs' lib, the library, and every example of a code.

mod fetching;
mod flakes;
mod large_files;
mod library;
mod mercurial;
mod modules;
mod native_modules;
mod nix_language;
mod packages;
mod world;

use nival_engine::{Session, SessionOptions};
use nival_store::LocalStore;
use std::sync::Arc;

/// A session over a store of its own.
fn session() -> (tempfile::TempDir, Session) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = LocalStore::open(folder.path()).expect("an empty store");
    let options = SessionOptions { system: "x86_64-linux".to_owned(), ..SessionOptions::default() };
    (folder, Session::new(Arc::new(store), options))
}
