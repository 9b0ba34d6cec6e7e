//! What decides how inputs are fetched.

use super::error::Error;
use super::registry::Entry;
use super::schemes::Scheme;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::PathBuf;

/// What decides how inputs are fetched; the names are those of nix.conf.
#[derive(Clone, Debug)]
pub struct FetchSettings {
    /// The experimental features that are switched on.
    pub features: BTreeSet<String>,
    /// For how many seconds a fetched archive or branch is taken as current.
    pub tarball_ttl: u64,
    /// Whether changed working trees are taken.
    pub allow_dirty: bool,
    /// Whether a warning tells of them.
    pub warn_dirty: bool,
    /// Whether inputs that only a hash pins may stand in a lock file.
    pub allow_dirty_locks: bool,
    /// Whether a revision is enough to pin an archive of a git forge.
    pub trust_tarballs_from_git_forges: bool,
    /// Tokens for git forges, by host or by host and path.
    pub access_tokens: BTreeMap<String, String>,
    /// The global registry: a path, an address, or nothing.
    pub flake_registry: String,
    /// The user's and the system's registry, asked in this order.
    pub registries: Vec<PathBuf>,
    /// Entries of the command line, asked first.
    pub overrides: Vec<Entry>,
    /// The folder where what was learnt of addresses is kept.
    pub cache: PathBuf,
    /// The folder that relative git addresses start from.
    pub current_dir: PathBuf,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            features: BTreeSet::new(),
            tarball_ttl: 3600,
            allow_dirty: true,
            warn_dirty: true,
            allow_dirty_locks: false,
            trust_tarballs_from_git_forges: true,
            access_tokens: BTreeMap::new(),
            flake_registry: "https://channels.nixos.org/flake-registry.json".to_owned(),
            registries: Vec::new(),
            overrides: Vec::new(),
            cache: PathBuf::new(),
            current_dir: PathBuf::from("/"),
        }
    }
}

impl FetchSettings {
    /// Whether an experimental feature is switched on.
    pub fn has(&self, feature: &str) -> bool {
        self.features.contains(feature)
    }

    /// Asks for an experimental feature.
    ///
    /// # Errors
    /// [`Error::Feature`].
    pub fn require(&self, feature: &'static str, what: impl Display) -> Result<(), Error> {
        if self.has(feature) { Ok(()) } else { Err(Error::Feature { feature, what: format!("`{what}`") }) }
    }

    pub(crate) fn require_for(&self, scheme: Scheme, what: &dyn Display) -> Result<(), Error> {
        if scheme.is_experimental() { self.require("flakes", what) } else { Ok(()) }
    }
}
