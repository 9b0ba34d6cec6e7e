//! Owners, device nodes, capabilities of files, times and locks of files.

use crate::{fault, fs::at};
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Sets the owner and group of a file or link (links are not followed).
///
/// # Errors
/// Whatever the kernel says, with the path.
pub fn set_owner(path: &Path, user: u32, group: u32) -> io::Result<()> {
    fault::point("chown", &path)?;
    at(path, std::os::unix::fs::lchown(path, Some(user), Some(group)))
}

/// Gives a program file capabilities: the value of `security.capability` as the kernel reads it.
///
/// # Errors
/// Whatever the kernel says, with the path.
pub fn set_capabilities(path: &Path, value: &[u8]) -> io::Result<()> {
    fault::point("setxattr", &path)?;
    let file = CString::new(path.as_os_str().as_bytes())?;
    let name = c"security.capability";
    // SAFETY: path and name are C strings; the value's pointer and length belong to a live slice.
    let result =
        unsafe { libc::setxattr(file.as_ptr(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0) };
    at(path, if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) })
}

/// Makes a FIFO.
///
/// # Errors
/// Whatever the kernel says, with the path.
pub fn make_fifo(path: &Path, mode: u32) -> io::Result<()> {
    fault::point("mknod", &path)?;
    let name = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: the path is a C string that lives through the call.
    at(
        path,
        if unsafe { libc::mkfifo(name.as_ptr(), mode) } < 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        },
    )
}

/// Takes the lock of a file for this process alone, and says whether it was free; it is held while the file is open.
///
/// # Errors
/// Whatever the kernel says.
pub fn try_lock(file: &File) -> io::Result<bool> {
    fault::point("flock", &"file")?;
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(std::fs::TryLockError::WouldBlock) => Ok(false),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Takes the lock of a file as [`try_lock`] does, waiting for it up to a time.
///
/// # Errors
/// Whatever the kernel says.
pub fn lock_within(file: &File, time: std::time::Duration) -> io::Result<bool> {
    let end = std::time::Instant::now() + time;
    loop {
        if try_lock(file)? {
            return Ok(true);
        }
        if std::time::Instant::now() >= end {
            return Ok(false);
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// Sets the owner and group of an open file.
///
/// # Errors
/// Whatever the kernel says.
pub fn set_owner_of(file: impl std::os::fd::AsFd, user: u32, group: u32) -> io::Result<()> {
    fault::point("fchown", &(user, group))?;
    std::os::unix::fs::fchown(file.as_fd(), Some(user), Some(group))
}
