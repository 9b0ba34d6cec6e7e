//! What comes from outside and is pinned: Debian archives, their signatures, and the one lock.
//!
//! [`resolve`] reads the signed indices of a release, lets the solver choose, and
//! writes down what it chose in a [`Lock`]; [`fetch`] brings what a lock names, and
//! needs no index for it.
//!
//! **Invariant**: nothing is believed that is not signed by a known key or named by its
//! SHA-256 in something that is; and no host's name is written here or into a lock for
//! Debian's own repositories.

mod apt_sources;
mod crates;
pub mod diagnostics;
mod error;
mod fetch;
pub mod fetchers;
pub mod flakes;
mod index;
mod lock;
mod openpgp;
mod resolve;
mod sources;

pub use apt_sources::{AptSource, read_apt_sources};
pub use crates::{Crate, crate_addresses};
pub use error::{Error, SignatureProblem};
pub use fetch::{fetch, file_addresses};
pub use lock::{
    Change, ChangeKind, Difference, Lock, LockedFile, LockedPackage, LockedRelease, LockedRepository,
    LockedRoot, LockedSource, difference,
};
pub use openpgp::{Keys, verify_release};
pub use resolve::{Mode, RootRequest, resolve};

use nival_transport::Transport;
use std::path::{Path, PathBuf};

/// The release that is taken where none is named.
pub const DEFAULT_RELEASE: &str = "trixie";

/// The releases of Debian whose keys are part of Nival.
pub const RELEASES: [&str; 2] = ["trixie", "bookworm"];

/// The architecture that packages are chosen for, in Debian's words.
pub const ARCHITECTURE: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };

/// Where Debian's files are fetched from, each list tried in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mirrors {
    /// Addresses of the archive's root, the folder that holds `dists` and `pool`.
    pub main: Vec<String>,
    /// The same of the archive of security updates.
    pub security: Vec<String>,
    /// Archives of past packages, asked last and for packages only; `@SNAPSHOTID@` stands for the time.
    pub past: Vec<String>,
}

impl Mirrors {
    /// Finds the mirrors that a machine's apt is set up with; `root` is its root folder, usually `/`.
    ///
    /// # Errors
    /// A sources file that is there and cannot be read.
    pub fn from_apt(root: &Path) -> Result<Self, Error> {
        Ok(apt_sources::mirrors(&read_apt_sources(root)?))
    }

    /// Adds archives of past packages; `dump` is what `apt-config dump` prints.
    #[must_use]
    pub fn with_apt_settings(mut self, dump: &str) -> Self {
        self.past.extend(apt_sources::snapshots(dump));
        self
    }

    /// Takes another mirror of the archive; that of security updates stays, or is guessed to lie beside it.
    #[must_use]
    pub fn with_main(mut self, address: &str) -> Self {
        let address = address.trim_end_matches('/').to_owned();
        if self.security.is_empty() {
            let beside = address.strip_suffix("/debian").map(|parent| format!("{parent}/debian-security"));
            self.security = vec![beside.unwrap_or_else(|| address.clone())];
        }
        self.main = vec![address];
        self
    }
}

/// A repository beside Debian's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// What the lock calls it.
    pub name: String,
    /// The address of the folder that holds `dists`; or of a flat repository, where the suite ends in `/`.
    pub url: String,
    /// The suite, such as `stable`.
    pub suite: String,
    /// The components, such as `main`; none for a flat repository.
    pub components: Vec<String>,
    /// Its public keys, armored or binary.
    pub key: Vec<u8>,
    /// Its priority beside Debian's 500.
    pub priority: i32,
    /// Versions to prefer or to avoid.
    pub pins: Vec<PackagePin>,
}

/// A preference for the versions of one package that a repository has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackagePin {
    /// The name of the package.
    pub package: String,
    /// The version; all of the repository's where there is none.
    pub version: Option<String>,
    /// The priority; negative is never.
    pub priority: i32,
}

/// What is needed to bring things from outside.
#[derive(Clone, Debug)]
pub struct Inputs<'a> {
    /// The way to the network.
    pub transport: &'a Transport,
    /// A folder for indices; it can be deleted at any time.
    pub cache: PathBuf,
    /// Where Debian's files are.
    pub mirrors: Mirrors,
    /// The present, in seconds since 1970: signed indices are valid for a time.
    pub now: i64,
    /// Keys that sign the archive in place of Debian's own, where it is one that somebody else signs.
    pub archive_keys: Option<Keys>,
}

impl<'a> Inputs<'a> {
    /// Brings things over a way, with Debian's own keys.
    pub fn new(transport: &'a Transport, cache: PathBuf, mirrors: Mirrors, now: i64) -> Self {
        Self { transport, cache, mirrors, now, archive_keys: None }
    }
}

/// A time in seconds since 1970 in UTC, in a form of strftime(3); times out of the calendar are its first or last.
pub fn utc_text(seconds: i64, form: &str) -> String {
    let usual = if seconds < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_second(seconds).unwrap_or(usual).strftime(form).to_string()
}
