//! The store on a disk: what is refused, and what is kept.

mod archive;
mod caches;
mod collecting;
mod daemons;
mod locking;
mod profiles;
mod registering;
mod web;

use nival_store::{Error, LocalStore, Registration};
use nival_store_model::StorePath;
use std::fs;
use std::path::Path;

fn store() -> (tempfile::TempDir, LocalStore) {
    let folder = tempfile::tempdir().expect("it can be done");
    let store = LocalStore::open(folder.path()).expect("it can be done");
    (folder, store)
}

/// The code of what a piece of work ended in.
fn code<T>(result: Result<T, Error>) -> &'static str {
    result.map_or_else(|error| error.diagnostic().entry.code, |_| "none")
}

fn text(store: &LocalStore, name: &str, text: &str, references: &[StorePath]) -> StorePath {
    store.add_text(name, text.as_bytes(), references).expect("it can be done")
}

fn keep_all(_: &Path, _: &fs::FileType) -> Result<bool, Error> {
    Ok(true)
}

#[test]
fn text_and_tree_are_registered_and_verified() {
    let (folder, store) = store();
    let text = store.add_text("foo", b"bar", &[]).expect("it can be done");
    assert_eq!(text.base_name(), "vxjiwkjkn7x4079qvh1jkl5pn05j2aw0-foo");
    let source = folder.path().join("source");
    fs::create_dir_all(source.join("sub")).expect("it can be done");
    fs::write(source.join("sub/a"), "a").expect("it can be done");
    std::os::unix::fs::symlink("sub/a", source.join("b")).expect("it can be done");
    let tree = store.add_tree("source", &source, &mut keep_all).expect("it can be done");
    assert_eq!(store.path_of_tree("source", &source, None).expect("it can be done"), tree);
    assert_eq!(store.verify(true).expect("it can be done"), vec![]);
    assert_eq!(store.all().expect("it can be done").len(), 2);
}

#[test]
fn changed_contents_are_found() {
    let (_folder, store) = store();
    let path = store.add_text("foo", b"bar", &[]).expect("it can be done");
    let file = store.physical(&path);
    fs::remove_file(&file).expect("it can be done");
    fs::write(&file, "baz").expect("it can be done");
    assert_eq!(store.verify(true).expect("it can be done").len(), 1);
    fs::remove_file(&file).expect("it can be done");
    assert_eq!(store.verify(false).expect("it can be done").len(), 1);
}

#[test]
fn missing_reference_is_refused() {
    let (_folder, store) = store();
    let missing = StorePath::parse("vxjiwkjkn7x4079qvh1jkl5pn05j2aw0-foo").expect("it can be done");
    let staged = store.staging("x");
    fs::write(&staged, "x").expect("it can be done");
    let path = StorePath::parse("00000000000000000000000000000000-x").expect("it can be done");
    let registration = Registration { path: path.clone(), staged, references: vec![missing], deriver: None };
    let error = store.register(&[registration]).unwrap_err();
    assert_eq!(error.diagnostic().entry.code, "NV0507");
    assert!(!store.is_valid(&path).expect("it can be done"));
}

#[test]
fn special_file_is_refused() {
    let (folder, store) = store();
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("it can be done");
    let error = store.add_tree("x", &socket, &mut keep_all).unwrap_err();
    assert_eq!(error.diagnostic().entry.code, "NV0506");
}

#[test]
fn bad_name_is_refused() {
    let (_folder, store) = store();
    assert_eq!(store.add_text("a~b", b"", &[]).unwrap_err().diagnostic().entry.code, "NV0505");
}

#[test]
fn foreign_schema_is_refused() {
    let (folder, store) = store();
    drop(store);
    fs::write(folder.path().join("nix/var/nix/db/schema"), "99").expect("it can be done");
    let Err(error) = LocalStore::open(folder.path()) else { panic!("schema 99 was opened") };
    assert_eq!(error.diagnostic().entry.code, "NV0504");
}

#[test]
fn broken_database_is_said() {
    let (folder, store) = store();
    drop(store);
    let state = folder.path().join("nix/var/nix/db");
    for file in ["db.sqlite-wal", "db.sqlite-shm"] {
        let _ = fs::remove_file(state.join(file));
    }
    fs::write(state.join("db.sqlite"), vec![7; 8192]).expect("it can be done");
    let error = LocalStore::open(folder.path()).and_then(|store| store.all()).expect_err("it is broken");
    assert_eq!(error.diagnostic().entry.code, "NV0503");
}

#[test]
fn unreadable_store_is_said() {
    let folder = tempfile::tempdir().expect("it can be done");
    fs::write(folder.path().join("nix"), "a file in the way").expect("it can be done");
    let Err(error) = LocalStore::open(folder.path()) else { panic!("a file was opened as a store") };
    assert_eq!(error.diagnostic().entry.code, "NV0502");
}
