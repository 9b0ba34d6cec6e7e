//! One boot of a machine, from its monitor to its systemd.

use super::life::Machine;
use super::protocol::Lines;
use crate::Error;
use crate::container::link::{self, FromMonitor, Role, ToMonitor};
use crate::container::{Launch, Report};
use crate::error::Doing as _;
use nival_sys::{namespace, process};
use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::sync::{Arc, PoisonError};

/// A machine that runs, and the way to its monitor.
pub(super) struct Running {
    pub first: i32,
    pub since: u64,
    pub link: Lines,
    /// The monitor, where it is a child of this process.
    pub monitor: Option<Child>,
}

impl Running {
    /// Waits until the machine has ended; gives the code of process 1. A monitor that was killed takes it along.
    pub fn wait(mut self) -> i32 {
        let code = loop {
            match self.link.next::<FromMonitor>() {
                Ok(Some((FromMonitor::Ended { code }, _))) => break code,
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break 128 + libc::SIGKILL,
            }
        };
        drop(self.link);
        if let Some(mut monitor) = self.monitor {
            let _ = monitor.wait();
        }
        code
    }
}

impl Machine {
    /// Starts the monitor and follows process 1 until it is systemd.
    pub(super) fn boot(&self, launch: &Launch) -> Result<Running, Error> {
        let doing = || "start the machine's monitor".to_owned();
        let (control, control_there) = UnixStream::pair().doing(doing)?;
        let (supervisor, supervisor_there) = UnixStream::pair().doing(doing)?;
        let launch = serde_json::to_string(launch).unwrap_or_default();
        let mut command = Command::new("/proc/self/exe");
        command.args(["internal", "machine", &launch]);
        command.stdin(OwnedFd::from(control_there)).stdout(OwnedFd::from(supervisor_there));
        let mut monitor = process::spawn(&mut command).doing(doing)?;
        drop(command);
        let booted = self.follow(&control, supervisor);
        match booted {
            Ok((first, since, link)) => Ok(Running { first, since, link, monitor: Some(monitor) }),
            Err(error) => {
                // The monitor ends when both streams are closed, and process 1 with it.
                drop(control);
                let _ = monitor.wait();
                Err(error)
            }
        }
    }

    fn follow(&self, control: &UnixStream, supervisor: UnixStream) -> Result<(i32, u64, Lines), Error> {
        let doing = || "talk to the machine's monitor".to_owned();
        for (role, fd) in self.keep.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            link::send(&supervisor, &ToMonitor::Keep { role: role.clone() }, &[fd.as_fd()]).doing(doing)?;
        }
        let mut lines = Lines::new(supervisor.try_clone().doing(doing)?);
        let Some((FromMonitor::Holds { first, since }, _)) = lines.next().doing(doing)? else {
            return Err(self.lost("its monitor ended"));
        };
        let mut reports = Lines::new(control.try_clone().doing(doing)?);
        loop {
            match reports.next::<Report>().doing(|| "wait for the machine".to_owned())? {
                Some((Report::Ready, _)) => {
                    (self.connect)(first)?;
                    self.open_network(first)?;
                    (&mut &*control).write_all(b"go\n").doing(|| "let the machine go on".to_owned())?;
                }
                Some((Report::Console, fds)) => {
                    for (role, fd) in [Role::Console, Role::Terminal].into_iter().zip(fds) {
                        link::send(&supervisor, &ToMonitor::Keep { role }, &[fd.as_fd()]).doing(doing)?;
                    }
                }
                Some((Report::Failed(error), _)) => return Err(self.named(error)),
                None if alive_still(first) => {
                    link::send(&supervisor, &ToMonitor::Booted, &[]).doing(doing)?;
                    return Ok((first, since, lines));
                }
                None => return Err(self.lost("process 1 ended")),
            }
        }
    }

    /// Lets published ports reach the machine.
    pub(super) fn open_network(&self, first: i32) -> Result<(), Error> {
        let space = namespace::open(first, "net").doing(|| "enter the machine's network".to_owned())?;
        if let Ok(mut inside) = self.inside.lock() {
            *inside = Some(Arc::new(space));
        }
        Ok(())
    }

    pub(super) fn lost(&self, reason: &str) -> Error {
        Error::Boot { machine: self.name.clone(), reason: reason.to_owned(), log: self.console_lines() }
    }

    fn named(&self, error: Error) -> Error {
        match error {
            Error::Boot { reason, log, .. } => Error::Boot { machine: self.name.clone(), reason, log },
            other => other,
        }
    }

    fn console_lines(&self) -> Vec<String> {
        let text = std::fs::read(self.folder.console()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines[lines.len().saturating_sub(15)..].to_vec()
    }
}

/// Whether a process has not ended.
pub(super) fn alive_still(pid: i32) -> bool {
    process::descriptor(pid).is_ok_and(|fd| process::wait_readable(&[&fd], 0).is_ok_and(|ready| !ready[0]))
}
