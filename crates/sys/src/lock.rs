//! Locks of whole files (`flock`): advisory, held by an open file, shared with other programs.

use crate::fault;
use std::io;
use std::os::fd::AsFd;

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Together with others that hold it so.
    Shared,
    /// Alone.
    Exclusive,
}

/// Takes the lock of an open file, changing one that it holds; says whether it was taken, which it is always after
/// waiting.
///
/// # Errors
/// Whatever the kernel says.
pub fn take(file: impl AsFd, kind: Kind, wait: bool) -> io::Result<bool> {
    use rustix::fs::FlockOperation as Operation;
    fault::point("flock", &kind)?;
    let operation = match (kind, wait) {
        (Kind::Shared, false) => Operation::NonBlockingLockShared,
        (Kind::Shared, true) => Operation::LockShared,
        (Kind::Exclusive, false) => Operation::NonBlockingLockExclusive,
        (Kind::Exclusive, true) => Operation::LockExclusive,
    };
    loop {
        match rustix::fs::flock(&file, operation) {
            Ok(()) => return Ok(true),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::WOULDBLOCK) if !wait => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Gives a lock back while the file stays open.
///
/// # Errors
/// Whatever the kernel says.
pub fn release(file: impl AsFd) -> io::Result<()> {
    Ok(rustix::fs::flock(file, rustix::fs::FlockOperation::Unlock)?)
}
