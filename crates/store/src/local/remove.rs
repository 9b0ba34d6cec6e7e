//! Signatures that are added, and paths that are taken out.

use crate::error::{Doing as _, Error};
use crate::{LocalStore, PathInfo};
use nival_store_model::StorePath;
use nival_sys::fs as sys;
use std::collections::BTreeSet;

impl LocalStore {
    /// Adds signatures to a valid path.
    ///
    /// # Errors
    /// [`Error::NotValid`], [`Error::Database`].
    pub fn add_signatures(&self, path: &StorePath, signatures: &BTreeSet<String>) -> Result<(), Error> {
        self.database(|database| database.add_signatures(path, signatures))
    }

    /// Changes what is said of a valid path: hash, size, signatures, content address.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn update_info(&self, info: &PathInfo) -> Result<(), Error> {
        self.database(|database| database.update(info))
    }

    /// Takes a path out of the database and leaves its files; no other valid path may refer to it.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::Database`].
    pub fn invalidate(&self, path: &StorePath) -> Result<(), Error> {
        self.database(|database| database.invalidate(path))
    }

    /// Removes a path that no other valid path refers to; roots are not looked at, which is what collecting does.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::Io`], [`Error::Database`].
    pub fn remove_unreferenced(&self, path: &StorePath) -> Result<(), Error> {
        let locks = self.wait_for_locks(std::slice::from_ref(path))?;
        self.invalidate(path)?;
        self.sync_database()?;
        sys::remove_tree(&self.physical(path)).doing(|| format!("remove `{path}`"))?;
        locks.finish();
        Ok(())
    }
}
