//! What a monitor and the supervisor of its machine say to each other: one JSON value a line, with descriptors.
//!
//! The monitor keeps whatever a supervisor needs to take a machine over from one that was killed: descriptors
//! are given to it with a word for what they are, and handed to the next supervisor that connects.

use nival_sys::socket;
use serde::{Deserialize, Serialize};
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// What a supervisor tells the monitor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum ToMonitor {
    /// The first word of a new supervisor, with the record that it goes by.
    TakeOver { record: PathBuf },
    /// The descriptor that comes along is to be kept.
    Keep { role: Role },
    /// Process 1 is systemd: from now on the machine outlives its supervisor.
    Booted,
}

/// What a descriptor is that a monitor keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Role {
    /// The lock of the machine, which is held as long as anybody has it open.
    Lock,
    /// The network namespace of the bridge.
    Bridge,
    /// The socket that listens for a published port, by its place in the orders.
    Port(usize),
    /// The side of the console that shows it.
    Console,
    /// The console's terminal, which must stay open.
    Terminal,
}

/// What a monitor tells a supervisor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum FromMonitor {
    /// A descriptor that was kept comes along.
    Kept { role: Role },
    /// The machine's process 1, and when it was started. After all that is kept.
    Holds { first: i32, since: u64 },
    /// Process 1 ended; the monitor ends too.
    Ended { code: i32 },
}

/// Where the monitor of a machine listens for the next supervisor.
pub(crate) fn socket(sockets: &Path, name: &str) -> PathBuf {
    sockets.join(format!("{name}.monitor"))
}

/// Sends one value as a line.
pub(crate) fn send(
    stream: &UnixStream,
    value: &impl Serialize,
    fds: &[BorrowedFd<'_>],
) -> std::io::Result<()> {
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    text.push(b'\n');
    socket::send(stream, &text, fds)
}
