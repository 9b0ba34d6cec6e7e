//! Building: derivations by confined builders, and built-in builders for Debian packages.
//!
//! [`build`] brings outputs of derivations into the store: a plan of what is there, what a
//! cache has and what must be built, then builders in cells of their own, then checks,
//! addresses and registration of what they made. [`unpack_deb`] makes a store's tree of a
//! Debian package: files and links as they are, without owners and unusual modes, which
//! go into a `metadata.json` beside the tree; no maintainer script runs.
//!
//! **Invariant**: a builder reaches nothing but its declared inputs and its own folders;
//! what is registered is what was hashed; nothing of a failed build stays but its log.

mod addresses;
mod build_error;
mod builtin;
mod deb;
mod debugging;
mod derivation;
pub mod diagnostics;
pub mod elsewhere;
mod error;
mod events;
pub mod log;
mod metadata;
mod one;
mod outputs;
mod references;
pub mod sandbox;
mod schedule;
mod settings;
mod surroundings;
mod users;

pub use addresses::{Addresses, Named, NoAddresses};
pub use build_error::BuildError;
pub use builtin::{PACKAGE_FORM, Package, link_packages};
pub use deb::{Limits, Unpack, unpack_deb, unpack_many};
pub use debugging::{Debugger, Stopped};
pub use derivation::{
    Prepared, Structured, Wishes, downstream_placeholder, output_placeholder, structured_attributes,
    validity_registration,
};
pub use error::{Error, Problem};
pub use events::{Event, Observer, Silent};
pub use metadata::{Attributes, PackageMetadata};
pub use one::{Job, Surroundings};
pub use outputs::Mode;
pub use references::{Rewriter, Scanner};
pub use schedule::{
    Answer, Offer, Offered, Outcome, Plan, Request, Run, Substituter, Wanted, build, build_alone,
};
pub use settings::{BuildSettings, Confinement, HostPath};
