//! Profiles: a link that names one of its generations, each of which is a link into the store.
//!
//! `PROFILE` leads to `PROFILE-N-link`, which leads to a path of the store and is a root of the collector. Layout and
//! locks are Nix's.

use crate::LocalStore;
use crate::error::{Doing as _, Error};
use crate::locks::PathLocks;
use nival_store_model::StorePath;
use nival_sys::fs as sys;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A profile, by the place of its link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    link: PathBuf,
}

/// One generation of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its number; later ones are larger.
    pub number: u64,
    /// Its link.
    pub link: PathBuf,
    /// When it was made, in seconds since 1970.
    pub created: i64,
}

/// The generations of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Generations {
    /// All of them, oldest first.
    pub all: Vec<Generation>,
    /// The number of the one that the profile leads to.
    pub current: Option<u64>,
}

impl Generations {
    /// The one that the profile leads to.
    pub fn current(&self) -> Option<&Generation> {
        self.all.iter().find(|generation| Some(generation.number) == self.current)
    }

    /// The one of a number.
    pub fn find(&self, number: u64) -> Option<&Generation> {
        self.all.iter().find(|generation| generation.number == number)
    }

    /// The one before the current one.
    pub fn previous(&self) -> Option<&Generation> {
        let current = self.current?;
        self.all.iter().rev().find(|generation| generation.number < current)
    }
}

impl Profile {
    /// The profile with a link at an absolute place; it need not be there yet.
    pub fn new(link: &Path) -> Self {
        Self { link: link.to_owned() }
    }

    /// The place of its link.
    pub fn link(&self) -> &Path {
        &self.link
    }

    /// Keeps others from changing it while the result is held.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn lock(&self) -> Result<PathLocks, Error> {
        let doing = || format!("lock the profile `{}`", self.link.display());
        if let Some(folder) = self.link.parent() {
            sys::create_dir_all(folder).doing(doing)?;
        }
        let mut locks = PathLocks::take(std::slice::from_ref(&self.link), true)?.unwrap_or_default();
        locks.set_finished();
        Ok(locks)
    }

    /// Its generations.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn generations(&self) -> Result<Generations, Error> {
        let doing = || format!("read the profile `{}`", self.link.display());
        let mut found = Generations::default();
        let Some(folder) = self.link.parent().filter(|folder| folder.is_dir()) else { return Ok(found) };
        for entry in folder.read_dir().doing(doing)? {
            let entry = entry.doing(doing)?;
            if let Some(number) = self.number_of(Path::new(&entry.file_name())) {
                let created = entry.metadata().doing(doing)?.mtime();
                found.all.push(Generation { number, link: entry.path(), created });
            }
        }
        found.all.sort_by_key(|generation| generation.number);
        found.current = self.link.read_link().ok().and_then(|target| self.number_of(&target));
        Ok(found)
    }

    fn number_of(&self, link: &Path) -> Option<u64> {
        let own = self.link.file_name()?.to_str()?;
        let name = link.file_name()?.to_str()?;
        name.strip_prefix(own)?.strip_prefix('-')?.strip_suffix("-link")?.parse().ok()
    }

    /// Makes a generation of a path; where the newest one is the same, that one is kept. The profile does not lead to
    /// it yet.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(&self, store: &LocalStore, path: &StorePath) -> Result<Generation, Error> {
        let all = self.generations()?.all;
        let printed = PathBuf::from(store.dir().print(path));
        let newest = all.last();
        if let Some(newest) = newest.filter(|newest| newest.link.read_link().is_ok_and(|to| to == printed)) {
            return Ok(newest.clone());
        }
        let number = newest.map_or(1, |newest| newest.number + 1);
        let mut name: OsString = self.link.clone().into_os_string();
        name.push(format!("-{number}-link"));
        let link = PathBuf::from(name);
        store.add_indirect_root(&link, path)?;
        let doing = || format!("make generation {number} of `{}`", self.link.display());
        let created = link.symlink_metadata().doing(doing)?.mtime();
        Ok(Generation { number, link, created })
    }

    /// Lets the profile lead to a generation.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn switch_to(&self, generation: &Generation) -> Result<(), Error> {
        let doing = || format!("switch the profile `{}`", self.link.display());
        // In the same folder the name is enough, so that the folder can be moved.
        let name = generation.link.file_name().map_or(generation.link.as_path(), Path::new);
        sys::symlink_atomic(name, &self.link).doing(doing)
    }

    /// Makes a generation of a path and lets the profile lead to it. The caller holds the lock.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn set(&self, store: &LocalStore, path: &StorePath) -> Result<Generation, Error> {
        let generation = self.create(store, path)?;
        self.switch_to(&generation)?;
        Ok(generation)
    }

    /// Removes generations' links; what they led to is garbage then. The current one stays.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn delete(&self, numbers: &[u64]) -> Result<Vec<u64>, Error> {
        let generations = self.generations()?;
        let mut gone = Vec::new();
        for generation in &generations.all {
            if numbers.contains(&generation.number) && Some(generation.number) != generations.current {
                let doing =
                    || format!("remove generation {} of `{}`", generation.number, self.link.display());
                sys::remove_file(&generation.link).doing(doing)?;
                gone.push(generation.number);
            }
        }
        Ok(gone)
    }
}
