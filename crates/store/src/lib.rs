//! The local store: its database, adding and verifying paths.
//!
//! The layout and the database are Nix's (schema 10), so that either program can
//! open what the other made. The logical directory is `/nix/store`; the physical
//! one lies below the folder that [`LocalStore::open`] is given.
//!
//! **Invariant**: a path that is registered is whole, read-only and has the hash
//! that the database says; contents are complete before the transaction that
//! registers them.

pub mod archive;
mod canonical;
mod database;
pub mod diagnostics;
mod error;
mod local;
mod verify;

pub use canonical::canonicalise;
pub use database::PathInfo;
pub use error::Error;
pub use local::{LocalStore, Registration};
pub use verify::Corruption;
