//! What clients and the supervisor say to each other: one JSON value a line over a local socket.

use crate::Error;
use crate::container::enter::Terminal;
pub(crate) use crate::container::link::send;
use nival_sys::socket;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// What a supervisor is started for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Orders {
    pub data: PathBuf,
    pub store: PathBuf,
    pub sockets: PathBuf,
    pub runtime: PathBuf,
    /// The control group to divide; where it is missing, the supervisor's own.
    pub groups: Option<PathBuf>,
    /// Whether machines run in a user namespace, whose ids the client hands out.
    pub user: bool,
    pub machines: Vec<Order>,
}

/// One machine to hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub name: String,
    pub generation: u64,
    pub publish: Vec<Publish>,
    /// Whether it has ended for good.
    #[serde(default)]
    pub ended: bool,
}

/// A port of a machine that is reachable on the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Publish {
    /// The address of the host to listen on.
    pub address: std::net::IpAddr,
    /// The host's port; 0 for one that is free.
    pub host: u16,
    /// The machine's port.
    pub guest: u16,
}

/// What the supervisor tells the one that started it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum News {
    /// Its user namespace is made and waits for ids.
    WantsIds,
    /// Something happened that a user may want to see.
    Event(Event),
    /// A machine cannot be had; the supervisor ends if it is the only one.
    Failed(Error),
    /// All machines are up and well (or not, which was told before).
    Done,
}

/// What happens while machines come up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "event")]
pub enum Event {
    /// The root is composed.
    Composed {
        /// The machine.
        machine: String,
        /// How long it took.
        milliseconds: u64,
    },
    /// Process 1 runs.
    Booting {
        /// The machine.
        machine: String,
        /// How long it took since the command.
        milliseconds: u64,
    },
    /// Ports are published.
    Published {
        /// The machine.
        machine: String,
        /// The ports, with those that were chosen.
        ports: Vec<Publish>,
    },
    /// All checks passed.
    Healthy {
        /// The machine.
        machine: String,
        /// How long it took since the command.
        milliseconds: u64,
    },
    /// Something that does not keep the machine from working.
    Warning {
        /// The machine.
        machine: String,
        /// What it is.
        text: String,
    },
}

/// What a client asks a supervisor for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    Status,
    /// Descriptors 0, 1 and 2 of the program come with this.
    Run {
        command: Vec<String>,
        user: String,
        terminal: Option<Terminal>,
        environment: Vec<(String, String)>,
    },
    Down {
        seconds: u64,
    },
}

/// What a supervisor knows about its machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Known {
    pub phase: String,
    pub since: u64,
    pub ports: Vec<Publish>,
    pub address: Option<std::net::Ipv4Addr>,
    pub outside: String,
    pub first: i32,
    pub supervisor: u32,
}

/// The answer to a request that is no program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Known(Known),
    /// The machine has ended; when it was the last one, the supervisor ends too.
    Down {
        last: bool,
    },
    Failed(Error),
}

/// Receives values that are lines, with the descriptors that came along.
pub(crate) struct Lines {
    stream: UnixStream,
    bytes: Vec<u8>,
    fds: Vec<OwnedFd>,
}

impl Lines {
    pub(crate) fn new(stream: UnixStream) -> Self {
        Self { stream, bytes: Vec::new(), fds: Vec::new() }
    }

    /// Whether a whole value has come already.
    pub(crate) fn holds_more(&self) -> bool {
        self.bytes.contains(&b'\n')
    }

    /// The next value and all descriptors that came so far; `None` when the other side closed.
    pub(crate) fn next<T: DeserializeOwned>(&mut self) -> std::io::Result<Option<(T, Vec<OwnedFd>)>> {
        loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.bytes.drain(..=end).collect();
                let value = serde_json::from_slice(&line).map_err(std::io::Error::other)?;
                return Ok(Some((value, std::mem::take(&mut self.fds))));
            }
            let mut piece = [0u8; 4096];
            let (length, fds) = match socket::receive(&self.stream, &mut piece) {
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return Ok(None),
                other => other?,
            };
            if length == 0 {
                return Ok(None);
            }
            self.bytes.extend_from_slice(&piece[..length]);
            self.fds.extend(fds);
        }
    }
}
