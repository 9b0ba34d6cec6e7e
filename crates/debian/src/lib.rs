//! Debian's index and version formats, and a solver that decides in apt's order.
//!
//! An archive's `Packages` files become a [`Universe`]; [`solve`] picks from it what
//! apt would pick on an empty machine, or says why nothing fits. Versions are
//! compared by [`compare_versions`] and written into store names by
//! [`store_version`], which a store name can hold and [`from_store_version`] undoes.
//!
//! **Invariant**: the same texts and the same request give the same answer; nothing
//! here reads a file, the clock, or the order of a hash table.

mod control;
mod relation;
mod release;
mod solve;
mod universe;
mod version;

pub use control::{Field, Fields, Paragraphs};
pub use relation::{Operator, Qualifier, Relation, Relations};
pub use release::{ListedFile, Release, ReleaseError, parse_date, snapshot_name};
pub use solve::{
    Because, Choice, Conflict, Options, Pin, Problem, Reason, Request, RequestError, Solution, SolveError,
    solve,
};
pub use universe::{
    Dependency, DependencyKind, MultiArch, PackageId, Priority, RepositoryFacts, RepositoryId, Universe,
    UniverseBuilder, Version, VersionId,
};
pub use version::{compare_versions, from_store_version, store_version};
