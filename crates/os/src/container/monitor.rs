//! The process that makes a machine's process 1 and waits for it.

use super::{Launch, Report, root};
use crate::Error;
use crate::error::Doing as _;
use nival_sys::{cgroup, namespace, process, socket};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

/// `internal machine`: input is the control stream, output the stream whose end means that the supervisor is gone.
pub(crate) fn main(launch: &str) -> ExitCode {
    let run = || -> Result<i32, Error> {
        let launch: Launch =
            serde_json::from_str(launch).map_err(|error| Error::Manifest(error.to_string()))?;
        let control = process::copy_fd(0).doing(|| "take the control stream".to_owned())?;
        let alive = process::copy_fd(1).doing(|| "take the alive stream".to_owned())?;
        monitor(&launch, UnixStream::from(control), UnixStream::from(alive))
    };
    match run() {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(255)),
        Err(error) => {
            eprintln!("nival: machine: {error}");
            ExitCode::from(254)
        }
    }
}

fn monitor(launch: &Launch, control: UnixStream, mut alive: UnixStream) -> Result<i32, Error> {
    cgroup::join(&launch.monitor_group, 0).doing(|| "join the monitor's control group".to_owned())?;
    namespace::unshare(namespace::PROCESS).doing(|| "make a process namespace".to_owned())?;
    let Some(first) = process::fork().doing(|| "start process 1".to_owned())? else {
        drop(alive);
        become_first(launch, &control);
        std::process::exit(254);
    };
    drop(control);
    let ended = process::descriptor(first).doing(|| "watch process 1".to_owned())?;
    let _ = writeln!(alive, "{first}");
    let _ = process::set_standard_streams(
        &std::fs::File::open("/dev/null").doing(|| "open /dev/null".to_owned())?,
    );
    loop {
        let ready =
            process::wait_readable(&[&ended, &alive], -1).doing(|| "wait for process 1".to_owned())?;
        if ready[1] {
            let _ = process::signal(first, libc::SIGKILL);
        }
        if ready[0] || ready[1] {
            return process::wait(first).doing(|| "wait for process 1".to_owned());
        }
    }
}

/// Becomes the machine's systemd. Returns only when something went wrong, which has been reported then.
fn become_first(launch: &Launch, control: &UnixStream) {
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
    send(control, &Report::Ready, &[])?;
    let mut line = String::new();
    let answer =
        BufReader::new(control).read_line(&mut line).doing(|| "wait for the supervisor".to_owned())?;
    if answer == 0 {
        std::process::exit(0);
    }
    let console = root::build(launch)?;
    send(control, &Report::Console, &[console.shown.as_fd(), console.terminal.as_fd()])?;
    drop(console.shown);
    namespace::set_host_name(&launch.name).doing(|| "set the host name".to_owned())?;
    root::refuse_foreign_group()?;
    process::set_standard_streams(&console.terminal).doing(|| "open the console".to_owned())?;
    drop(console.terminal);
    if !launch.user {
        process::forbid_capabilities(&FORBIDDEN);
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

fn send(control: &UnixStream, report: &Report, fds: &[std::os::fd::BorrowedFd<'_>]) -> Result<(), Error> {
    let mut text = serde_json::to_vec(report).unwrap_or_default();
    text.push(b'\n');
    socket::send(control, &text, fds).doing(|| "report to the supervisor".to_owned())
}
