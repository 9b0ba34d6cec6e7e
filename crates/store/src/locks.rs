//! Locks of single paths: `PATH.lock` beside the path, shared with C++ Nix.
//!
//! Whoever makes a path holds its lock. The file is removed when the path is made; a letter is written into it before,
//! so that whoever waited for the lock sees that the file is not the one with that name any more.

use crate::LocalStore;
use crate::error::{Doing as _, Error};
use nival_store_model::StorePath;
use nival_sys::fs as sys;
use nival_sys::lock::{self, Kind};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Locks that are held; they are given back when this goes.
#[derive(Debug, Default)]
pub struct PathLocks {
    held: Vec<(PathBuf, File)>,
    finished: bool,
}

impl PathLocks {
    /// Lets the files of the locks be removed when they are given back: right where the paths are valid now.
    pub fn finish(mut self) {
        self.finished = true;
    }

    /// As [`Self::finish`], without giving back yet.
    pub fn set_finished(&mut self) {
        self.finished = true;
    }

    /// Takes the locks of places on the disk, in the order of their names. `None` where `wait` is not set and one of
    /// them is held by somebody.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn take(places: &[PathBuf], wait: bool) -> Result<Option<Self>, Error> {
        let mut sorted = places.to_vec();
        sorted.sort();
        sorted.dedup();
        let mut locks = Self::default();
        for place in sorted {
            let mut name = place.into_os_string();
            name.push(".lock");
            let name = PathBuf::from(name);
            let Some(file) = take_one(&name, wait)? else { return Ok(None) };
            locks.held.push((name, file));
        }
        Ok(Some(locks))
    }
}

impl Drop for PathLocks {
    fn drop(&mut self) {
        if self.finished {
            for (name, file) in &mut self.held {
                // A lock's file that stays does no harm.
                let _ = sys::remove_file(name);
                let _ = file.write_all(b"d");
            }
        }
    }
}

fn take_one(name: &Path, wait: bool) -> Result<Option<File>, Error> {
    let doing = || format!("lock `{}`", name.display());
    loop {
        let file = sys::open_private(name).doing(doing)?;
        if !lock::take(&file, Kind::Exclusive, wait).doing(doing)? {
            return Ok(None);
        }
        // Somebody who had it before us removed the name, so another one may hold a new file of that name.
        if file.metadata().doing(doing)?.len() == 0 {
            return Ok(Some(file));
        }
    }
}

impl LocalStore {
    /// Takes the locks of paths that are to be made; `None` where `wait` is not set and somebody makes one of them.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn lock_paths(&self, paths: &[StorePath], wait: bool) -> Result<Option<PathLocks>, Error> {
        let places: Vec<_> = paths.iter().map(|path| self.physical(path)).collect();
        PathLocks::take(&places, wait)
    }

    /// Takes the locks of paths, waiting for them.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn wait_for_locks(&self, paths: &[StorePath]) -> Result<PathLocks, Error> {
        Ok(self.lock_paths(paths, true)?.unwrap_or_default())
    }
}
