//! The local store for programs of other machines: the sides that answer of the protocols of `nix-daemon` and
//! `nix-store --serve`.
//!
//! Building is not this crate's: whoever serves says how, by a [`Builder`].

mod adding;
mod answers;
mod building;
mod legacy;
mod told;
mod upkeep;
mod worker;

pub use legacy::serve as serve_legacy;
pub use told::Said;
pub use worker::serve as serve_worker;

use crate::LocalStore;
use crate::protocol::BuildResult;
use crate::stores::Trust;
use nival_store_model::{Derivation, StorePath};
use std::collections::BTreeSet;

/// Something that a client wants to have in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A path.
    Path(StorePath),
    /// Outputs of a derivation; all where none are named.
    Outputs(StorePath, Option<BTreeSet<String>>),
}

/// How outputs that are there are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They are left.
    Normal,
    /// What is damaged is built again.
    Repair,
    /// They are built again and compared.
    Check,
}

/// What would have to be done for wishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Derivations to build.
    pub build: BTreeSet<StorePath>,
    /// Paths to bring from caches.
    pub bring: BTreeSet<StorePath>,
    /// Paths that nobody has.
    pub unknown: BTreeSet<StorePath>,
    /// Bytes to download.
    pub download: u64,
    /// Bytes that they unpack to.
    pub unpacked: u64,
}

/// Hears of what happens meanwhile; from several threads.
pub type Tell<'a> = &'a (dyn Fn(Said<'_>) + Sync);

/// What builds in the store that is served.
pub trait Builder {
    /// Takes the settings that a client asks for; those of the machine that only its owner may change are left out
    /// before, where the client is not trusted.
    fn set(&mut self, settings: &[(String, String)]);

    /// Builds or brings what is wished; as many results, in that order.
    fn build(&self, wishes: &[Wish], mode: Mode, tell: Tell<'_>) -> Vec<BuildResult>;

    /// Builds a derivation that need not be in the store, and whose inputs are paths that are.
    fn build_derivation(
        &self,
        path: &StorePath,
        derivation: &Derivation,
        mode: Mode,
        tell: Tell<'_>,
    ) -> BuildResult;

    /// What would have to be done.
    ///
    /// # Errors
    /// What caches or the store say.
    fn missing(&self, wishes: &[Wish]) -> Result<Missing, String>;

    /// Brings those of some paths that caches have.
    fn substitute(&self, paths: &[StorePath], tell: Tell<'_>);
}

/// What is served, and to whom.
pub struct Host<'a> {
    /// The store.
    pub store: &'a LocalStore,
    /// Whether the client may do all that the store's owner may.
    pub is_trusted: bool,
    /// Whose signatures count of paths that a client brings who is not trusted.
    pub trust: Trust,
    /// The version that is told.
    pub version: &'a str,
}

impl Host<'_> {
    /// Whose signatures count where the client asks for, or against, a check.
    fn trust(&self, unchecked: bool) -> Trust {
        if unchecked && self.is_trusted { Trust::everything() } else { self.trust.clone() }
    }
}

/// Reads `DRV!OUTPUTS` or a path.
fn wish(store: &LocalStore, text: &str) -> Result<Wish, String> {
    let parse = |path: &str| store.dir().parse(path).map_err(|error| error.to_string());
    match text.split_once(['!', '^']) {
        Some((path, "*")) => Ok(Wish::Outputs(parse(path)?, None)),
        Some((path, names)) => {
            Ok(Wish::Outputs(parse(path)?, Some(names.split(',').map(str::to_owned).collect())))
        }
        None => parse(text).map(Wish::Path),
    }
}
