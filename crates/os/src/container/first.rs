//! The way of a machine's first process to being its systemd.

use super::link::send;
use super::{Launch, Report, alone, root};
use crate::checks::STATE;
use crate::error::Doing as _;
use crate::{Error, State};
use nival_sys::{cgroup, namespace, process};
use std::io::{BufRead as _, BufReader};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;

/// Becomes the machine's systemd, or the service that runs alone. Returns only when something went wrong, which has been reported then.
pub(super) fn become_first(launch: &Launch, control: &UnixStream) {
    nival_sys::fault::begin_part("first");
    let error = match first(launch, control) {
        Err(error) => error,
        Ok(never) => match never {},
    };
    eprintln!("nival: machine {}: {error}", launch.name);
    let _ = send(control, &Report::Failed(error), &[]);
}

fn first(launch: &Launch, control: &UnixStream) -> Result<std::convert::Infallible, Error> {
    process::die_with_my_parent();
    process::lead_session();
    process::set_file_mask(0o022);
    cgroup::join(&launch.group, 0).doing(|| "join the machine's control group".to_owned())?;
    let kinds =
        namespace::MOUNT | namespace::HOST_NAME | namespace::IPC | namespace::NETWORK | namespace::CGROUP;
    namespace::unshare(kinds).doing(|| "make the machine's namespaces".to_owned())?;
    report(control, &Report::Ready, &[])?;
    let mut line = String::new();
    let answer =
        BufReader::new(control).read_line(&mut line).doing(|| "wait for the supervisor".to_owned())?;
    if answer == 0 {
        std::process::exit(0);
    }
    let console = root::build(launch)?;
    report(control, &Report::Console, &[console.shown.as_fd(), console.terminal.as_fd()])?;
    drop(console.shown);
    namespace::set_host_name(&launch.name).doing(|| "set the host name".to_owned())?;
    root::refuse_foreign_group()?;
    process::set_standard_streams(&console.terminal).doing(|| "open the console".to_owned())?;
    drop(console.terminal);
    if !launch.user {
        process::forbid_capabilities(&FORBIDDEN);
    }
    let manifest = State::new(STATE.into()).manifest(launch.generation)?;
    if let Some(start) = &manifest.alone {
        return alone::run(&launch.name, start, control);
    }
    let program = std::ffi::OsStr::new("/usr/lib/systemd/systemd");
    let environment = [
        ("container", "nival"),
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"),
        ("TERM", "dumb"),
    ];
    let error = process::exec(program, &[program, std::ffi::OsStr::new("--show-status=no")], &environment);
    Err(Error::Boot {
        machine: launch.name.clone(),
        reason: format!("systemd cannot be started: {error}"),
        log: Vec::new(),
    })
}

/// What root in a container without a user namespace could harm the host with, by the numbers of capability.h:
/// mac_override, mac_admin, syslog, wake_alarm, block_suspend, perfmon, bpf, sys_module, sys_rawio, sys_pacct,
/// sys_time, mknod.
const FORBIDDEN: [u32; 12] = [32, 33, 34, 35, 36, 38, 39, 16, 17, 20, 25, 27];

fn report(control: &UnixStream, report: &Report, fds: &[std::os::fd::BorrowedFd<'_>]) -> Result<(), Error> {
    send(control, report, fds).doing(|| "report to the supervisor".to_owned())
}
