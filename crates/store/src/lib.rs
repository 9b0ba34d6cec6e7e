//! Stores: the local one with its database and collector, binary caches, daemons, and what goes between them.
//!
//! The layout, the database, the locks and the temporary roots are Nix's (schema 10), so that either program can open
//! what the other made, at the same time. Where the store lies says a [`StoreConfig`].
//!
//! **Invariant**: a path that is registered is whole, read-only and has the hash
//! that the database says; contents are complete before the transaction that
//! registers them.

pub mod archive;
pub mod binary_cache;
mod canonical;
mod config;
pub mod daemon;
mod database;
pub mod diagnostics;
mod error;
mod export;
mod gc;
mod info;
mod local;
mod locks;
mod optimise;
mod profiles;
mod protocol;
mod remote_error;
mod serve;
pub mod serving;
pub mod stores;
mod temporary_roots;
mod verify;
mod why;
mod wire;

pub use canonical::canonicalise;
pub use config::{StoreConfig, StoreSettings};
pub use database::Realisation;
pub use error::Error;
pub use gc::{Alive, DeleteOptions, GcAction, GcEvent, GcOptions, GcResult, Root, RootSource};
pub use info::PathInfo;
pub use local::{Follow, LocalStore, Registration};
pub use locks::PathLocks;
pub use optimise::Optimised;
pub use profiles::{Generation, Generations, Profile};
pub use protocol::{BuildResult, BuildStatus};
pub use remote_error::RemoteError;
pub use stores::Store;
pub use verify::{Corruption, Remedy, Repair, Verification};
pub use why::{Mention, Way};
