//! Equal files become one: each file's NAR hash names a hard link in `.links` of the store.

use crate::LocalStore;
use crate::archive;
use crate::error::{Doing as _, Error};
use nival_store_model::StorePath;
use nival_sys::fs as sys;
use std::collections::HashSet;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What linking equal files saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Optimised {
    /// Files that became a second name of another one.
    pub files: u64,
    /// Bytes that were freed.
    pub bytes: u64,
    /// Files that cannot be trusted, since somebody may write to them.
    pub writable: u64,
}

impl LocalStore {
    /// Links equal files of all valid paths.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Database`].
    pub fn optimise(&self, report: &mut dyn FnMut(&StorePath)) -> Result<Optimised, Error> {
        let links = self.links();
        let doing = || format!("read `{}`", links.display());
        sys::create_dir_all(&links).doing(doing)?;
        let mut known = HashSet::new();
        for entry in links.read_dir().doing(doing)? {
            use std::os::unix::fs::DirEntryExt as _;
            known.insert(entry.doing(doing)?.ino());
        }
        let mut total = Optimised::default();
        for path in self.all()? {
            self.temp_root(&path)?;
            if self.is_valid(&path)? {
                report(&path);
                self.link_equal(&self.physical(&path), &mut known, &mut total)?;
            }
        }
        Ok(total)
    }

    /// Links the files of one path that is at its place.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn optimise_path(&self, path: &StorePath) -> Result<Optimised, Error> {
        let mut total = Optimised::default();
        self.link_equal(&self.physical(path), &mut HashSet::new(), &mut total)?;
        Ok(total)
    }

    /// As [`Self::optimise_path`], for a path that was just mended: the files that others have are read again, and one
    /// that is damaged is no longer theirs to share.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn optimise_mended(&self, path: &StorePath) -> Result<Optimised, Error> {
        self.forget_damaged(&self.physical(path))?;
        self.optimise_path(path)
    }

    fn forget_damaged(&self, path: &Path) -> Result<(), Error> {
        let doing = || format!("compare the files of `{}` with equal ones", path.display());
        let metadata = path.symlink_metadata().doing(doing)?;
        if metadata.is_dir() {
            for entry in path.read_dir().doing(doing)? {
                self.forget_damaged(&entry.doing(doing)?.path())?;
            }
            return Ok(());
        }
        let (hash, _) = archive::hash(path, None)?;
        let link = self.links().join(hash.base32());
        let is_there = link.symlink_metadata().is_ok();
        if is_there && !archive::hash(&link, None).is_ok_and(|(found, _)| found == hash) {
            sys::remove_file(&link).doing(doing)?;
        }
        Ok(())
    }

    pub(crate) fn links(&self) -> PathBuf {
        self.config().physical.join(".links")
    }

    fn link_equal(&self, path: &Path, known: &mut HashSet<u64>, total: &mut Optimised) -> Result<(), Error> {
        let doing = || format!("link equal files of `{}`", path.display());
        let metadata = path.symlink_metadata().doing(doing)?;
        if metadata.is_dir() {
            for entry in path.read_dir().doing(doing)? {
                use std::os::unix::fs::DirEntryExt as _;
                let entry = entry.doing(doing)?;
                if !known.contains(&entry.ino()) {
                    self.link_equal(&entry.path(), known, total)?;
                }
            }
            return Ok(());
        }
        if metadata.is_file() && metadata.mode() & 0o200 != 0 {
            total.writable += 1;
            return Ok(());
        }
        if metadata.nlink() > 1 && known.contains(&metadata.ino()) {
            return Ok(());
        }
        let (hash, _) = archive::hash(path, None)?;
        let link = self.links().join(hash.base32());
        match first_of_its_kind(path, &link, metadata.len()) {
            Ok(true) => {
                known.insert(metadata.ino());
                return Ok(());
            }
            Ok(false) => {}
            // The folder of links is full: this file stays as it is.
            Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
            Err(error) => return Err(error).doing(doing),
        }
        let inode = link.symlink_metadata().doing(doing)?.ino();
        if inode != metadata.ino() && self.replace(path, &link).doing(doing)? {
            known.insert(inode);
            total.files += 1;
            total.bytes += metadata.len();
        }
        Ok(())
    }

    /// Puts a second name of `link` in the place of a file; whether that could be.
    fn replace(&self, path: &Path, link: &Path) -> io::Result<bool> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let temporary = self.config().physical.join(format!(".tmp-link-{}-{number}", std::process::id()));
        let folder = path.parent().filter(|folder| *folder != self.config().physical);
        match sys::hard_link(link, &temporary) {
            // A file with more names than the file system allows stays as it is.
            Err(error) if is_too_many(&error) => return Ok(false),
            other => other?,
        }
        if let Some(folder) = folder {
            sys::set_mode(folder, 0o755)?;
        }
        let renamed = sys::rename(&temporary, path);
        if renamed.is_err() {
            let _ = sys::remove_file(&temporary);
        }
        if let Some(folder) = folder {
            sys::seal_dir(folder, 0o555, 1)?;
        }
        match renamed {
            Err(error) if is_too_many(&error) => Ok(false),
            other => other.map(|()| true),
        }
    }
}

fn is_too_many(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TooManyLinks
}

/// Makes a file the first one of its contents; `false` where there is one already.
fn first_of_its_kind(path: &Path, link: &Path, size: u64) -> io::Result<bool> {
    match link.symlink_metadata() {
        // Somebody changed the other one: files of a store have one time, and nobody may write to them.
        Ok(found)
            if found.len() != size
                || found.is_file() && (found.mtime() != 1 || found.mode() & 0o222 != 0) =>
        {
            sys::remove_file(link)?;
        }
        Ok(_) => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    match sys::hard_link(path, link) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}
