//! What a run asks of those that paths can be brought from.

use crate::build_error::BuildError;
use crate::events::Event;
use nival_store_model::StorePath;
use nival_transport::Cancel;
use std::collections::BTreeSet;

/// A path that a cache has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The path.
    pub path: StorePath,
    /// Bytes to download, where the cache says it.
    pub download: u64,
    /// Bytes of its NAR.
    pub unpacked: u64,
}

/// What caches have of some paths, and of all that they refer to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// Those that can be brought with all that they refer to.
    pub whole: BTreeSet<StorePath>,
    /// What is missing here of their closures.
    pub offers: Vec<Offer>,
    /// What a path that a cache has refers to, and no cache has.
    pub unknown: BTreeSet<StorePath>,
}

/// Where paths are brought from.
pub trait Substituter: Sync {
    /// What caches have of some paths.
    ///
    /// # Errors
    /// What the own store says.
    fn offered(&self, paths: &[StorePath]) -> Result<Offered, BuildError>;

    /// Brings paths and all that they refer to; `tell` hears of each path that is begun and ended.
    ///
    /// # Errors
    /// What the caches say; what was brought before is kept.
    fn bring(&self, paths: &[StorePath], tell: &dyn Fn(Event<'_>), cancel: &Cancel)
    -> Result<(), BuildError>;
}

/// A substituter that is not asked for paths that it could not bring.
pub(super) struct Without<'a> {
    pub(super) inner: &'a dyn Substituter,
    pub(super) paths: BTreeSet<StorePath>,
}

impl Substituter for Without<'_> {
    fn offered(&self, paths: &[StorePath]) -> Result<Offered, BuildError> {
        let mut offered = Offered::default();
        for path in paths.iter().filter(|path| !self.paths.contains(*path)) {
            let found = self.inner.offered(std::slice::from_ref(path))?;
            let needs_failed = found.offers.iter().any(|offer| self.paths.contains(&offer.path));
            if !needs_failed {
                offered.whole.extend(found.whole);
                offered.offers.extend(found.offers);
            }
        }
        offered.offers.sort_by(|left, right| left.path.cmp(&right.path));
        offered.offers.dedup_by(|left, right| left.path == right.path);
        Ok(offered)
    }

    fn bring(
        &self,
        paths: &[StorePath],
        tell: &dyn Fn(Event<'_>),
        cancel: &Cancel,
    ) -> Result<(), BuildError> {
        self.inner.bring(paths, tell, cancel)
    }
}
