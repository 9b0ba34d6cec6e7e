//! Removing trees by descriptor, counting what becomes free.

use crate::fault;
use crate::fs::at;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir};
use rustix::io::Errno;
use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// A folder whose entries are removed as trees.
#[derive(Debug)]
pub struct Trees {
    descriptor: OwnedFd,
    path: PathBuf,
}

impl Trees {
    /// Opens a folder.
    ///
    /// # Errors
    /// What the system says, with the path.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(io::Error::from);
        Ok(Self { descriptor: at(path, opened)?, path: path.to_owned() })
    }

    /// Removes an entry and all below it, also where folders are read-only; one that is not there is fine. Links are
    /// not followed. Gives the bytes of the files that have no further name, or just one: the one that equal files
    /// share.
    ///
    /// # Errors
    /// What the system says, with the path.
    pub fn remove(&self, name: &OsStr) -> io::Result<u64> {
        let path = self.path.join(name);
        fault::point("rmtree", &path)?;
        let name = CString::new(name.as_bytes())?;
        let mut freed = 0;
        let removed = remove(self.descriptor.as_fd(), &name, FileType::Unknown, &mut freed);
        at(&path, removed.map_err(io::Error::from)).map(|()| freed)
    }

    /// Removes those files of the folder that have no other name; gives how many.
    ///
    /// # Errors
    /// What the system says, with the path.
    pub fn remove_single(&self, mut kept: impl FnMut(u64, u64)) -> io::Result<u64> {
        fault::point("unlink", &self.path)?;
        let mut removed = 0;
        let mut each = || -> rustix::io::Result<()> {
            let mut buffer = vec![MaybeUninit::uninit(); 1 << 16];
            let mut entries = RawDir::new(&self.descriptor, &mut buffer);
            while let Some(entry) = entries.next() {
                let entry = entry?;
                let name = entry.file_name();
                if is_dots(name) {
                    continue;
                }
                let found = rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW)?;
                if found.st_nlink == 1 {
                    rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty())?;
                    removed += 1;
                } else {
                    // The number of links has other widths on other machines.
                    #[allow(clippy::useless_conversion)]
                    kept(found.st_size.unsigned_abs(), u64::from(found.st_nlink));
                }
            }
            Ok(())
        };
        at(&self.path, each().map_err(io::Error::from)).map(|()| removed)
    }
}

fn is_dots(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

fn remove(parent: BorrowedFd<'_>, name: &CStr, kind: FileType, freed: &mut u64) -> rustix::io::Result<()> {
    if kind != FileType::Directory {
        let found = match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(()),
            other => other?,
        };
        if FileType::from_raw_mode(found.st_mode) != FileType::Directory {
            if found.st_nlink <= 2 {
                *freed += found.st_size.unsigned_abs();
            }
            return unlink(parent, name, AtFlags::empty());
        }
    }
    remove_folder(parent, name, freed)
}

/// Removes an entry; a folder that may not be written to is made writable first.
fn unlink(parent: BorrowedFd<'_>, name: &CStr, flags: AtFlags) -> rustix::io::Result<()> {
    match rustix::fs::unlinkat(parent, name, flags) {
        Err(Errno::NOENT) => Ok(()),
        Err(Errno::ACCESS) => {
            rustix::fs::fchmod(parent, Mode::from_raw_mode(0o700))?;
            rustix::fs::unlinkat(parent, name, flags)
        }
        other => other,
    }
}

fn remove_folder(parent: BorrowedFd<'_>, name: &CStr, freed: &mut u64) -> rustix::io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = match rustix::fs::openat(parent, name, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ACCESS) => {
            rustix::fs::chmodat(parent, name, Mode::from_raw_mode(0o700), AtFlags::empty())?;
            rustix::fs::openat(parent, name, flags, Mode::empty())?
        }
        other => other?,
    };
    let mut buffer = vec![MaybeUninit::uninit(); 1 << 13];
    let mut entries = RawDir::new(&folder, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        if !is_dots(entry.file_name()) {
            remove(folder.as_fd(), entry.file_name(), entry.file_type(), freed)?;
        }
    }
    unlink(parent, name, AtFlags::REMOVEDIR)
}
