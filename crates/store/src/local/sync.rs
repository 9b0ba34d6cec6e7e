//! Bringing contents to the disk before they are registered, where that is wanted.

use crate::LocalStore;
use crate::PathInfo;
use crate::error::{Doing as _, Error};
use nival_sys::fs as sys;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

/// More entries are brought to the disk with all of their file system: one wait instead of many.
const MANY: usize = 64;

impl LocalStore {
    /// Waits until the contents of paths are on the disk, where `fsync-store-paths` asks for it.
    pub(crate) fn sync_paths(&self, infos: &[PathInfo]) -> Result<(), Error> {
        if !self.config().settings.fsync_store_paths || infos.is_empty() {
            return Ok(());
        }
        let doing = || "bring new paths to the disk".to_owned();
        let folder = &self.config().physical;
        let places: Vec<_> = infos.iter().map(|info| self.physical(&info.path)).collect();
        let mut left = MANY;
        for place in &places {
            if !entries(place, &mut left).doing(doing)? {
                return sys::sync_file_system(folder).doing(doing);
            }
        }
        for place in &places {
            sync_tree(place).doing(doing)?;
        }
        sys::sync_dir(folder).doing(doing)
    }

    /// Waits until what the database was told is on the disk, where `fsync-metadata` asks for it: before files are
    /// removed that it knew, and before somebody relies on what it knows now. Its log is written at once, and else
    /// brought to the disk at checkpoints only.
    pub(crate) fn sync_database(&self) -> Result<(), Error> {
        if !self.config().settings.fsync_metadata {
            return Ok(());
        }
        let log = self.state().join("db/db.sqlite-wal");
        match File::open(&log) {
            Ok(file) => sys::sync(&file).doing(|| "bring the database to the disk".to_owned()),
            // It was taken into the database, or there is none.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error).doing(|| format!("open `{}`", log.display())),
        }
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
    if kind.is_file() { sys::sync(&File::open(path)?) } else { Ok(()) }
}
