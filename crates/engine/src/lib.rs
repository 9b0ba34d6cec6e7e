//! From an expression to a built machine: the World of the evaluator, over the store and the lock.
//!
//! [`Session`] holds one evaluator. [`Session::machines`] finds what a file or folder
//! declares, [`Machine`] evaluates one of them, [`packages`] turns a lock into store
//! paths. Nothing here prints.
//!
//! **Invariant**: evaluation reads files and writes store paths through [`world`] only.

pub mod diagnostics;
mod error;
mod expression;
mod library;
mod machine;
mod options;
pub mod packages;
mod project;
mod session;
mod world;

pub use error::Error;
pub use expression::{Argument, Automatic, Expression, Format, Found};
pub use library::{LIBRARY_ROOT, library_file, library_files};
pub use machine::{LockedVersions, Machine, Manifest, RootRequest};
pub use options::OptionDescription;
pub use project::{Project, machine_name, short_hash};
pub use session::{Session, SessionOptions};
