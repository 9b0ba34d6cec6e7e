//! Built-in builders: Debian packages become trees of the store.
//!
//! [`unpack_deb`] makes a store's tree of a Debian package: files and links as they are,
//! without owners and unusual modes, which a store cannot hold; those go into a
//! `metadata.json` beside the tree. No maintainer script runs.
//!
//! **Invariant**: nothing is written outside of the destination, whatever an archive
//! holds; and the same package gives the same bytes everywhere.

mod deb;
pub mod diagnostics;
mod error;
mod metadata;

pub use deb::{Limits, Unpack, unpack_deb, unpack_many};
pub use error::{Error, Problem};
pub use metadata::{Attributes, PackageMetadata};
