//! Namespaces and the maps of user and group ids between them.

use crate::{fault, fs::at};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::path::Path;

pub use libc::{
    CLONE_NEWCGROUP as CGROUP, CLONE_NEWIPC as IPC, CLONE_NEWNET as NETWORK, CLONE_NEWNS as MOUNT,
    CLONE_NEWPID as PROCESS, CLONE_NEWUSER as USER, CLONE_NEWUTS as HOST_NAME,
};

/// Moves this thread (for a user namespace: this single-threaded process) into new namespaces.
///
/// # Errors
/// Whatever the kernel says.
pub fn unshare(kinds: i32) -> io::Result<()> {
    fault::point("unshare", &kinds)?;
    // SAFETY: takes a plain integer.
    if unsafe { libc::unshare(kinds) } < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Moves this thread into a namespace that exists; for a process descriptor, into several of that process.
///
/// # Errors
/// Whatever the kernel says.
pub fn enter(namespace: impl AsFd, kinds: i32) -> io::Result<()> {
    fault::point("setns", &kinds)?;
    // SAFETY: takes plain integers; the descriptor is open.
    let result = unsafe { libc::setns(namespace.as_fd().as_raw_fd(), kinds) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Opens one namespace of a process, such as `net`.
///
/// # Errors
/// When the process is gone or not ours.
pub fn open(pid: i32, kind: &str) -> io::Result<File> {
    let path = format!("/proc/{pid}/ns/{kind}");
    at(Path::new(&path), File::open(&path))
}

/// Writes a map of ids for a process in a new user namespace: lines of `inside outside count`.
///
/// # Errors
/// Whatever the kernel says: maps of more than the own id need privileges in the parent namespace.
pub fn write_map(pid: i32, kind: &str, map: &str) -> io::Result<()> {
    let path = format!("/proc/{pid}/{kind}");
    fault::point("write", &path)?;
    at(Path::new(&path), std::fs::write(&path, map))
}

/// Sets the host name of this namespace.
///
/// # Errors
/// Whatever the kernel says.
pub fn set_host_name(name: &str) -> io::Result<()> {
    fault::point("sethostname", &name)?;
    Ok(rustix::system::sethostname(name.as_bytes())?)
}
