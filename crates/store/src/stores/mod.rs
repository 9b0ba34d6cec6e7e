//! Stores of every kind behind one trait, and what goes between them.

mod address;
mod cache;
mod copy;
mod local;
mod rename;
mod schedule;
mod substitute;
mod trust;

pub use address::{Address, Opened, Opener, Reference};
pub use copy::{Copied, CopyOptions, copy};
pub use rename::copy_by_contents;
pub use substitute::{Outcome, Plan, Substitutable, Substituters};
pub use trust::{Trust, is_named_by_contents};

use crate::PathInfo;
use crate::error::Error;
use crate::protocol::BuildResult;
use crate::remote_error::RemoteError;
use nival_store_model::{Derivation, StoreDir, StorePath};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

/// A store, wherever it is.
pub trait Store: Send + Sync {
    /// Its address, without parameters; what messages call it.
    fn url(&self) -> String;

    /// The store directory that its paths are for.
    fn dir(&self) -> &StoreDir;

    /// What it says of a path; `None` where it has none.
    ///
    /// # Errors
    /// Where it cannot be asked.
    fn info(&self, path: &StorePath) -> Result<Option<PathInfo>, Error>;

    /// The archive of a path while it is read. What comes is not checked.
    ///
    /// # Errors
    /// Where it cannot be had.
    fn nar(&self, path: &StorePath) -> Result<Box<dyn Read + '_>, Error>;

    /// Adds a path that comes from the store `from`, once what arrives was compared with what is said of it.
    /// References are there already.
    ///
    /// # Errors
    /// Where it may not be taken, is another one, or cannot be written.
    fn add(&self, info: &PathInfo, nar: &mut dyn Read, trust: &Trust, from: &str) -> Result<(), Error>;

    /// All paths, sorted.
    ///
    /// # Errors
    /// Where it cannot be asked that.
    fn all(&self) -> Result<Vec<StorePath>, Error>;

    /// The path with a hash part.
    ///
    /// # Errors
    /// Where it cannot be asked.
    fn path_of_hash_part(&self, hash_part: &str) -> Result<Option<StorePath>, Error>;

    /// Adds signatures to a path.
    ///
    /// # Errors
    /// Where it has no such path, or cannot be written.
    fn add_signatures(&self, path: &StorePath, signatures: &BTreeSet<String>) -> Result<(), Error>;

    /// The log of a derivation's build, where it is kept.
    ///
    /// # Errors
    /// Where it cannot be asked.
    fn log(&self, derivation: &StorePath) -> Result<Option<Vec<u8>>, Error>;

    /// Keeps the log of a derivation's build.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn add_log(&self, derivation: &StorePath, text: &[u8]) -> Result<(), Error>;

    /// The version of the program that keeps it, where one was asked.
    fn version(&self) -> Option<String> {
        None
    }

    /// Whether it does all that it is asked by this user, where that can be known.
    fn trusts_client(&self) -> Option<bool> {
        None
    }

    /// Whether what comes from it needs no signature.
    fn is_trusted(&self) -> bool {
        false
    }

    /// Whether it wants to be asked for paths that nobody may need.
    fn wants_mass_query(&self) -> bool {
        true
    }

    /// What builds in it, where something does.
    fn builder(&self) -> Option<&dyn RemoteBuilder> {
        None
    }

    /// How many questions may be asked at the same time.
    fn parallel(&self) -> usize {
        1
    }

    /// What a cache says of a path beyond what every store does.
    ///
    /// # Errors
    /// Where it cannot be asked.
    fn download_of(&self, _path: &StorePath) -> Result<Option<Download>, Error> {
        Ok(None)
    }

    /// Which of these paths it has.
    ///
    /// # Errors
    /// Where it cannot be asked.
    fn valid_among(&self, paths: &[StorePath]) -> Result<BTreeSet<StorePath>, Error> {
        let found = schedule::map(paths, self.parallel(), |path| self.info(path));
        let mut valid = BTreeSet::new();
        for (path, info) in paths.iter().zip(found) {
            if info?.is_some() {
                valid.insert(path.clone());
            }
        }
        Ok(valid)
    }
}

/// What builds in a store that is not on this disk.
pub trait RemoteBuilder: Sync {
    /// Builds what is named: paths, or `DRV!OUTPUTS` with `*` for all. `line` hears what is said meanwhile.
    ///
    /// # Errors
    /// Where it cannot be asked; a build that fails is a result.
    fn build(&self, wanted: &[String], line: &mut dyn FnMut(&str)) -> Result<Vec<BuildResult>, Error>;

    /// Lets it bring those of some paths that its own caches have.
    ///
    /// # Errors
    /// Where it cannot be asked.
    fn substitute(&self, paths: &[StorePath]) -> Result<(), Error>;

    /// Builds a derivation whose inputs are paths that are there.
    ///
    /// # Errors
    /// As [`Self::build`].
    fn build_derivation(
        &self,
        path: &StorePath,
        derivation: &Derivation,
        line: &mut dyn FnMut(&str),
    ) -> Result<BuildResult, Error>;
}

/// Where a cache has an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// Its place, seen from the cache.
    pub url: String,
    /// How it is compressed.
    pub compression: nival_store_model::Compression,
    /// Its hash as it lies there.
    pub hash: Option<nival_store_model::Hash>,
    /// Its bytes as it lies there; 0 where it is not known.
    pub size: u64,
}

/// What a store says of a path that must be there.
///
/// # Errors
/// [`RemoteError::Missing`].
pub fn valid_info(store: &dyn Store, path: &StorePath) -> Result<PathInfo, Error> {
    let missing = || RemoteError::Missing {
        path: store.dir().print(path),
        causes: vec![format!("{} does not have it", store.url())],
    };
    Ok(store.info(path)?.ok_or_else(missing)?)
}

/// All paths that some refer to, with what is known of them; the paths themselves among them.
///
/// # Errors
/// [`RemoteError::Missing`] where a store lacks one of them.
pub fn closure(store: &dyn Store, paths: &[StorePath]) -> Result<BTreeMap<StorePath, PathInfo>, Error> {
    let mut all = BTreeMap::new();
    let mut next: BTreeSet<StorePath> = paths.iter().cloned().collect();
    while !next.is_empty() {
        let wave: Vec<_> = std::mem::take(&mut next).into_iter().collect();
        for info in schedule::map(&wave, store.parallel(), |path| valid_info(store, path)) {
            let info = info?;
            next.extend(info.references.iter().cloned());
            all.insert(info.path.clone(), info);
        }
        next.retain(|path| !all.contains_key(path));
    }
    Ok(all)
}

/// Paths behind all that they refer to.
pub fn references_first(infos: &BTreeMap<StorePath, PathInfo>) -> Vec<StorePath> {
    let mut sorted = Vec::new();
    let mut seen = BTreeSet::new();
    for start in infos.keys() {
        let mut stack = vec![(start, false)];
        while let Some((path, is_left)) = stack.pop() {
            if is_left {
                sorted.push(path.clone());
                continue;
            }
            if !seen.insert(path) {
                continue;
            }
            stack.push((path, true));
            let references = infos.get(path).map(|info| info.references.as_slice()).unwrap_or_default();
            stack
                .extend(references.iter().filter(|next| infos.contains_key(*next)).map(|next| (next, false)));
        }
    }
    sorted
}
