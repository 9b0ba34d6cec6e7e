//! Folders by descriptor: what is written below one cannot be led elsewhere by links that appear meanwhile.

use crate::fault;
use crate::fs::at;
use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// An open folder, with the path by which messages call it.
#[derive(Debug)]
pub struct Folder {
    descriptor: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens a folder; a link in its place is refused.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(io::Error::from);
        Ok(Self { descriptor: at(path, opened)?, path: path.to_owned() })
    }

    /// The path by which it is called.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a folder in it and opens it; fails where something is already.
    ///
    /// # Errors
    /// What the system says.
    pub fn make_folder(&self, name: &OsStr) -> io::Result<Self> {
        let path = self.path.join(name);
        fault::point("mkdir", &path)?;
        let made = rustix::fs::mkdirat(&self.descriptor, name, Mode::from_raw_mode(0o755));
        at(&path, made.map_err(io::Error::from))?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&self.descriptor, name, flags, Mode::empty());
        let descriptor = at(&path, opened.map_err(io::Error::from))?;
        Ok(Self { descriptor, path })
    }

    /// Opens a folder in it, which is made where it is missing; a link in its place is refused.
    ///
    /// # Errors
    /// What the system says.
    pub fn descend(&self, name: &OsStr) -> io::Result<Self> {
        let path = self.path.join(name);
        fault::point("mkdir", &path)?;
        let _ = rustix::fs::mkdirat(&self.descriptor, name, Mode::from_raw_mode(0o755));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&self.descriptor, name, flags, Mode::empty());
        let descriptor = at(&path, opened.map_err(io::Error::from))?;
        Ok(Self { descriptor, path })
    }

    /// Gives a file in it new contents, all at once and on the disk; what was under the name, a link too, is gone.
    ///
    /// # Errors
    /// What the system says.
    pub fn replace_file(&self, name: &OsStr, contents: &[u8], mode: u32) -> io::Result<()> {
        let path = self.path.join(name);
        let mut temporary = name.to_owned();
        temporary.push(".new");
        let _ = rustix::fs::unlinkat(&self.descriptor, &temporary, AtFlags::empty());
        let mut file = self.make_file(&temporary)?;
        fault::point("write", &path)?;
        at(&path, file.write_all(contents))?;
        at(&path, rustix::fs::fchmod(&file, Mode::from_raw_mode(mode)).map_err(io::Error::from))?;
        crate::fs::sync(&file)?;
        fault::point("rename", &path)?;
        let renamed = rustix::fs::renameat(&self.descriptor, &temporary, &self.descriptor, name);
        at(&path, renamed.map_err(io::Error::from))
    }

    /// Makes a file in it to write to; fails where something is already.
    ///
    /// # Errors
    /// What the system says.
    pub fn make_file(&self, name: &OsStr) -> io::Result<File> {
        let path = self.path.join(name);
        fault::point("create", &path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&self.descriptor, name, flags, Mode::from_raw_mode(0o600));
        at(&path, opened.map(File::from).map_err(io::Error::from))
    }

    /// Makes a symbolic link in it with a modification time; fails where something is already.
    ///
    /// # Errors
    /// What the system says.
    pub fn make_link(&self, name: &OsStr, target: &OsStr, seconds: i64) -> io::Result<()> {
        let path = self.path.join(name);
        fault::point("symlink", &path)?;
        let made = rustix::fs::symlinkat(target, &self.descriptor, name).and_then(|()| {
            rustix::fs::utimensat(&self.descriptor, name, &modified(seconds), AtFlags::SYMLINK_NOFOLLOW)
        });
        at(&path, made.map_err(io::Error::from))
    }

    /// Sets its permission bits and modification time, as one change, for when nothing more goes into it.
    ///
    /// # Errors
    /// What the system says.
    pub fn seal(&self, mode: u32, seconds: i64) -> io::Result<()> {
        fault::point("chmod", &self.path)?;
        at(&self.path, seal(&self.descriptor, mode, seconds))
    }
}

/// Sets a file's permission bits and modification time, as one change; `path` is what messages call it.
///
/// # Errors
/// What the system says.
pub fn seal_file(file: &File, path: &Path, mode: u32, seconds: i64) -> io::Result<()> {
    fault::point("chmod", &path)?;
    at(path, seal(file, mode, seconds))
}

fn seal(descriptor: impl std::os::fd::AsFd, mode: u32, seconds: i64) -> io::Result<()> {
    rustix::fs::fchmod(descriptor.as_fd(), Mode::from_raw_mode(mode))?;
    Ok(rustix::fs::futimens(descriptor.as_fd(), &modified(seconds))?)
}

fn modified(seconds: i64) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: seconds, tv_nsec: 0 },
    }
}
