//! Bringing contents to the disk before they are registered, where that is wanted.

use crate::LocalStore;
use crate::error::{Doing as _, Error};
use nival_store_model::StorePath;
use nival_sys::fs as sys;
use std::path::Path;

/// A tree with more entries is brought to the disk with all of its file system: one wait instead of many.
const MANY: usize = 64;

impl LocalStore {
    /// Waits until a path's contents are on the disk, where `fsync-store-paths` asks for it.
    pub(crate) fn sync_path(&self, path: &StorePath) -> Result<(), Error> {
        if !self.config().settings.fsync_store_paths {
            return Ok(());
        }
        let doing = || format!("bring `{path}` to the disk");
        let place = self.physical(path);
        let mut left = MANY;
        if entries(&place, &mut left).doing(doing)? {
            sync_tree(&place).doing(doing)?;
            return sys::sync_dir(&self.config().physical).doing(doing);
        }
        sys::sync_file_system(&self.config().physical).doing(doing)
    }

    /// Waits until everything is on the disk, where `sync-before-registering` asks for it.
    pub(crate) fn sync_before_registering(&self) -> Result<(), Error> {
        if !self.config().settings.sync_before_registering {
            return Ok(());
        }
        let doing = || "bring the store to the disk".to_owned();
        sys::sync_file_system(&self.config().physical).doing(doing)
    }
}

/// Counts a tree's entries down; whether there are no more than were left.
fn entries(path: &Path, left: &mut usize) -> std::io::Result<bool> {
    if !path.symlink_metadata()?.is_dir() {
        return Ok(true);
    }
    for entry in path.read_dir()? {
        let entry = entry?;
        let Some(fewer) = left.checked_sub(1) else { return Ok(false) };
        *left = fewer;
        if !entries(&entry.path(), left)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn sync_tree(path: &Path) -> std::io::Result<()> {
    let kind = path.symlink_metadata()?.file_type();
    if kind.is_dir() {
        for entry in path.read_dir()? {
            sync_tree(&entry?.path())?;
        }
        return sys::sync_dir(path);
    }
    if kind.is_file() { sys::sync(&std::fs::File::open(path)?) } else { Ok(()) }
}
