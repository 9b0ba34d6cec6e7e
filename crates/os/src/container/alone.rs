//! Process 1 of a service that runs alone: starts it, passes signals on, takes leave of what ends, and ends with it.

use crate::Error;
use crate::error::Doing as _;
use crate::manifest::Start;
use nival_sys::process::{self, Ended};
use nival_sys::{network, signal};
use std::ffi::OsStr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the service may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the service; the process ends with it. Returns only when it cannot be started.
pub(super) fn run(
    machine: &str,
    start: &Start,
    control: &UnixStream,
) -> Result<std::convert::Infallible, Error> {
    let stopping = signal::catch(&[
        signal::TERMINATE,
        signal::INTERRUPT,
        process::halt_signal(),
        process::power_off_signal(),
    ])
    .doing(|| "catch signals".to_owned())?;
    let mut links = network::Network::open().doing(|| "look at the network".to_owned())?;
    links.up("lo", None).doing(|| "switch the loopback on".to_owned())?;
    // A unit can have the right to take a low port; without one everybody has it, in this network of its own.
    let _ = nival_sys::fs::write_setting(Path::new("/proc/sys/net/ipv4/ip_unprivileged_port_start"), "0");
    let Some(service) = process::fork().doing(|| "start the service".to_owned())? else {
        let error = become_service(start);
        eprintln!("nival: {machine}: the service cannot be started: {error}");
        std::process::exit(127);
    };
    // The end of this stream tells the supervisor that the machine has booted.
    let _ = control.shutdown(std::net::Shutdown::Both);
    let ended = process::descriptor(service).doing(|| "watch the service".to_owned())?;
    let mut asked: Option<Instant> = None;
    loop {
        let ready = process::wait_readable(&[&ended], 200).unwrap_or_default();
        // Whoever has lost its parent is this process's child.
        while let Some((pid, how)) = process::reap() {
            if pid == service {
                finish(how, asked.is_some());
            }
        }
        if ready.first() == Some(&true) {
            // It was taken leave of somewhere else, which nothing here does.
            finish(Ended::Code(0), asked.is_some());
        }
        match asked {
            None if stopping.is_set() => {
                let _ = process::signal(service, signal::TERMINATE);
                asked = Some(Instant::now());
            }
            Some(since) if since.elapsed() > PATIENCE => {
                let _ = process::signal(service, libc::SIGKILL);
            }
            _ => {}
        }
    }
}

/// Ends process 1: with the service's code, so that a failed one is started again, or for good.
fn finish(how: Ended, asked: bool) -> ! {
    let code = match how {
        Ended::Code(code) => code,
        Ended::Signal(number) => 128 + number,
    };
    if code == 0 || asked {
        process::power_off();
    }
    std::process::exit(if asked { 0 } else { code })
}

fn become_service(start: &Start) -> std::io::Error {
    process::lead_session();
    let words: Vec<&OsStr> = start.command.iter().map(OsStr::new).collect();
    let Some(program) = words.first() else { return std::io::Error::other("its command is empty") };
    let mut variables: Vec<(&str, &str)> = vec![("container", "nival"), ("HOME", "/")];
    variables.extend(start.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    process::exec(program, &words, &variables)
}
