//! A new supervisor for the machines of one that was killed.

use super::protocol::Lines;
use crate::Error;
use crate::container::link::{self, FromMonitor, Role, ToMonitor};
use crate::error::Doing as _;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// A machine that runs without a supervisor.
#[derive(Debug)]
pub(super) struct Found {
    pub link: UnixStream,
    pub first: i32,
    pub since: u64,
    kept: Vec<(Role, OwnedFd)>,
}

impl Found {
    /// Asks the monitor of a machine for all that it keeps; `None` where the machine is gone.
    pub fn look(sockets: &Path, name: &str, record: &Path) -> Result<Option<Self>, Error> {
        let Ok(stream) = UnixStream::connect(link::socket(sockets, name)) else { return Ok(None) };
        let doing = || format!("take over `{name}`");
        let wish = ToMonitor::TakeOver { record: record.to_owned() };
        if link::send(&stream, &wish, &[]).is_err() {
            return Ok(None);
        }
        let mut lines = Lines::new(stream.try_clone().doing(doing)?);
        let mut kept = Vec::new();
        // A monitor that ends meanwhile closes the connection.
        while let Ok(Some((message, fds))) = lines.next::<FromMonitor>() {
            match message {
                FromMonitor::Kept { role } => kept.extend(fds.into_iter().map(|fd| (role.clone(), fd))),
                FromMonitor::Holds { first, since } => {
                    return Ok(Some(Self { link: stream, first, since, kept }));
                }
                FromMonitor::Ended { .. } => break,
            }
        }
        Ok(None)
    }

    /// Takes one of the kept descriptors.
    pub fn take(&mut self, wanted: &Role) -> Option<OwnedFd> {
        let place = self.kept.iter().position(|(role, _)| role == wanted)?;
        Some(self.kept.swap_remove(place).1)
    }

    /// Takes the socket that listens for a published port.
    pub fn port(&mut self, number: usize) -> Option<TcpListener> {
        self.take(&Role::Port(number)).map(TcpListener::from)
    }
}
