//! Comparing the store with what its database says, and mending it.

use crate::error::{Doing as _, Error};
use crate::{LocalStore, archive};
use nival_store_model::{Hash, StorePath};
use nival_sys::fs as sys;
use nival_sys::lock::{self, Kind};
use std::collections::HashSet;

/// What is wrong with the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Corruption {
    /// A registered path is not on the disk.
    Missing(StorePath),
    /// A registered path has other contents than the database says.
    Modified {
        /// The path.
        path: StorePath,
        /// The NAR's hash as registered.
        wanted: Hash,
        /// The NAR's hash on the disk.
        got: Hash,
    },
    /// A link of equal files has other contents than its name says.
    Link {
        /// Its name.
        name: String,
        /// The hash of its contents.
        got: String,
    },
    /// Something cannot be read.
    Unreadable(StorePath, String),
    /// The database itself is broken.
    Database(String),
}

/// What was done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing.
    None,
    /// The path was taken out of the database: nothing that is there refers to it.
    Forgotten,
    /// The contents are as they should be again, or the link is gone.
    Repaired,
}

/// Brings a path's contents back.
pub type Repair<'a> = &'a mut dyn FnMut(&StorePath) -> Result<(), String>;

/// How the store is verified.
#[derive(Default)]
pub struct Verification<'a> {
    /// Every path is hashed.
    pub contents: bool,
    /// Paths that are gone and that nothing refers to are taken out of the database.
    pub forget: bool,
    /// Brings contents back, where they can be.
    pub repair: Option<Repair<'a>>,
}

impl LocalStore {
    /// Compares every registered path with the disk; with `contents` each is hashed.
    ///
    /// # Errors
    /// Where the store cannot be read at all.
    pub fn verify(&self, contents: bool) -> Result<Vec<Corruption>, Error> {
        let found = self.verify_with(Verification { contents, ..Verification::default() }, &mut |_| {})?;
        Ok(found.into_iter().map(|(corruption, _)| corruption).collect())
    }

    /// Compares the store with its database, while no collector works; `report` hears of every path that is looked at.
    ///
    /// # Errors
    /// Where the store cannot be read at all.
    pub fn verify_with(
        &self,
        mut how: Verification<'_>,
        report: &mut dyn FnMut(&StorePath),
    ) -> Result<Vec<(Corruption, Remedy)>, Error> {
        let _lock = self.hold_collector_off()?;
        let broken = self.check_integrity()?.into_iter();
        let mut found: Vec<_> = broken.map(|text| (Corruption::Database(text), Remedy::None)).collect();
        let present = self.verify_presence(&mut how, &mut found)?;
        if how.contents {
            self.verify_links(&mut how, &mut found)?;
            for path in present {
                report(&path);
                self.verify_contents(&path, &mut how, &mut found)?;
            }
        }
        Ok(found)
    }

    fn hold_collector_off(&self) -> Result<Option<std::fs::File>, Error> {
        if self.config().settings.read_only {
            return Ok(None);
        }
        let path = self.state().join("gc.lock");
        let doing = || format!("lock `{}`", path.display());
        let file = sys::open_private(&path).doing(doing)?;
        lock::take(&file, Kind::Shared, true).doing(doing)?;
        Ok(Some(file))
    }

    /// Looks for every registered path on the disk; gives those that are there.
    fn verify_presence(
        &self,
        how: &mut Verification<'_>,
        found: &mut Vec<(Corruption, Remedy)>,
    ) -> Result<Vec<StorePath>, Error> {
        let mut present = Vec::new();
        let mut gone = HashSet::new();
        for path in self.all()? {
            if self.physical(&path).symlink_metadata().is_ok() {
                present.push(path);
            } else {
                gone.insert(path);
            }
        }
        let mut order = self.sorted_by_references(&gone.iter().cloned().collect::<Vec<_>>())?;
        order.reverse();
        for path in order {
            // Those that refer to it came before and are forgotten where they could be.
            let needed = self.referrers(&path)?.into_iter().any(|referrer| referrer != path);
            let remedy = if !needed && how.forget {
                self.invalidate(&path)?;
                Remedy::Forgotten
            } else {
                mend(how, &path)
            };
            found.push((Corruption::Missing(path), remedy));
        }
        Ok(present)
    }

    fn verify_links(
        &self,
        how: &mut Verification<'_>,
        found: &mut Vec<(Corruption, Remedy)>,
    ) -> Result<(), Error> {
        let links = self.links();
        let doing = || format!("read `{}`", links.display());
        if !links.exists() {
            return Ok(());
        }
        for entry in links.read_dir().doing(doing)? {
            let entry = entry.doing(doing)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let (hash, _) = archive::hash(&entry.path(), None)?;
            if hash.base32() != name {
                let remedy = if how.repair.is_some() {
                    sys::remove_file(&entry.path()).doing(doing)?;
                    Remedy::Repaired
                } else {
                    Remedy::None
                };
                found.push((Corruption::Link { name, got: hash.base32() }, remedy));
            }
        }
        Ok(())
    }

    fn verify_contents(
        &self,
        path: &StorePath,
        how: &mut Verification<'_>,
        found: &mut Vec<(Corruption, Remedy)>,
    ) -> Result<(), Error> {
        let Some(mut info) = self.info(path)? else { return Ok(()) };
        match archive::hash(&self.physical(path), None) {
            Ok((hash, size)) if hash == info.nar_hash => {
                if info.nar_size == 0 && !self.config().settings.read_only {
                    info.nar_size = size;
                    self.update_info(&info)?;
                }
            }
            Ok((got, _)) => {
                let corruption = Corruption::Modified { path: path.clone(), wanted: info.nar_hash, got };
                found.push((corruption, mend(how, path)));
            }
            Err(error) => {
                let corruption = Corruption::Unreadable(path.clone(), error.to_string());
                found.push((corruption, mend(how, path)));
            }
        }
        Ok(())
    }
}

fn mend(how: &mut Verification<'_>, path: &StorePath) -> Remedy {
    match how.repair.as_mut().map(|repair| repair(path)) {
        Some(Ok(())) => Remedy::Repaired,
        _ => Remedy::None,
    }
}
