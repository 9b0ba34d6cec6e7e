//! From an expression to a built machine: the World of the evaluator, over the store and the lock.
//!
//! [`Session`] holds one evaluator. [`Session::machines`] finds what a file or folder
//! declares, [`Machine`] evaluates one of them, [`packages`] turns a lock into store
//! paths. Nothing here prints.
//!
//! **Invariant**: evaluation reads files and writes store paths through [`world`] only.

mod builds;
pub mod diagnostics;
mod environment;
mod error;
mod expression;
mod flakes;
mod functions;
mod library;
mod machine;
mod machines;
mod nix_settings;
mod options;
mod package_requests;
pub mod packages;
mod project;
mod services;
mod session;
mod substitution;
mod world;

pub use builds::Builds;
pub use environment::environment_derivation;
pub use error::Error;
pub use expression::{Argument, Automatic, Expression, Format, Found};
pub use flakes::{OutputSearch, attribute_path};
pub use functions::{LibraryFunction, library_functions};
pub use library::{LIBRARY_ROOT, library_file, library_files, use_library};
pub use machine::{LockedVersions, Machine, Manifest, RootRequest};
pub use machines::{MachineLine, OtherMachines};
pub use nival_build as build;
pub use nival_inputs::flakes::{FlakeReference, LockFlags, LockedFlake};
pub use nix_settings::{NixSettings, split_nix_path};
pub use options::{OptionDescription, OptionState, Setting};
pub use package_requests::PackageRequests;
pub use project::{Project, machine_name, short_hash};
pub use services::{ServiceManual, service_names};
pub use session::{Session, SessionOptions};
pub use substitution::Caches;
pub use world::Seen;
