//! Comparing the store with what its database says.

use crate::error::Error;
use crate::{LocalStore, archive};
use nival_store_model::StorePath;

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
        wanted: String,
        /// The NAR's hash on the disk.
        got: String,
    },
    /// The database itself is broken.
    Database(String),
}

impl LocalStore {
    /// Compares every registered path with the disk; with `contents` each is hashed.
    ///
    /// # Errors
    /// Where the store cannot be read at all.
    pub fn verify(&self, contents: bool) -> Result<Vec<Corruption>, Error> {
        let mut found: Vec<_> = self.check_integrity()?.into_iter().map(Corruption::Database).collect();
        for path in self.all()? {
            let on_disk = self.physical(&path);
            if on_disk.symlink_metadata().is_err() {
                found.push(Corruption::Missing(path));
            } else if contents && let Some(info) = self.info(&path)? {
                let (hash, _) = archive::hash(&on_disk, None)?;
                if hash != info.nar_hash {
                    let (wanted, got) = (info.nar_hash.sri(), hash.sri());
                    found.push(Corruption::Modified { path, wanted, got });
                }
            }
        }
        Ok(found)
    }
}
