//! Answers the clients of one machine.

use super::life::Machine;
use super::protocol::{self, Answer, Lines, Request};
use crate::Error;
use crate::container::enter::{Said, What};
use crate::error::Doing as _;
use nival_sys::{process, socket};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Listens at the machine's socket; a thread answers until the process ends.
pub(super) fn start(machine: &Arc<Machine>, path: &Path) -> Result<(), Error> {
    let listener = socket::listen(path).doing(|| "listen for clients".to_owned())?;
    let machine = Arc::clone(machine);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let machine = Arc::clone(&machine);
            std::thread::spawn(move || answer(&machine, stream));
        }
    });
    Ok(())
}

fn answer(machine: &Arc<Machine>, stream: UnixStream) {
    let Ok(copy) = stream.try_clone() else { return };
    let Ok(Some((request, fds))) = Lines::new(copy).next::<Request>() else { return };
    let reply = match request {
        Request::Status => Answer::Known(machine.known()),
        Request::Down { seconds } => {
            machine.answering.fetch_add(1, Ordering::SeqCst);
            let answer = match machine.stop(Duration::from_secs(seconds)) {
                Ok(()) => Answer::Down { last: machine.was_last() },
                Err(error) => Answer::Failed(error),
            };
            let _ = protocol::send(&stream, &answer, &[]);
            machine.answering.fetch_sub(1, Ordering::SeqCst);
            return;
        }
        Request::Run { command, user, terminal, environment } => {
            let what = What::Program { command, user, terminal, environment };
            if let Err(error) = run(machine, what, fds, &stream) {
                let _ = protocol::send(&stream, &Said::Failed(error), &[]);
            }
            return;
        }
    };
    let _ = protocol::send(&stream, &reply, &[]);
}

/// Starts a program in the machine; it reports to the client itself.
fn run(machine: &Machine, what: What, fds: Vec<OwnedFd>, stream: &UnixStream) -> Result<(), Error> {
    let doing = || "start a program in the machine".to_owned();
    let mut command = machine.enter(what, true)?;
    let Ok([input, output, errors]) = <[OwnedFd; 3]>::try_from(fds) else {
        return Err(Error::io(doing(), &std::io::Error::other("three descriptors are wanted")));
    };
    command.stdin(input).stdout(output).stderr(errors);
    process::pass_fd_as(&mut command, stream.as_fd(), 3);
    let mut child = process::spawn(&mut command).doing(doing)?;
    drop(command);
    let _ = child.wait();
    Ok(())
}
