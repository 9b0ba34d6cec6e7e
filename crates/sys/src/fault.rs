//! Faults that tests inject into calls that change something.
//!
//! `NIVAL_FAULT=stop@N` ends the process by SIGKILL at the N-th point (from 1),
//! `fail@N` makes that call fail with `EIO`, `full@N` makes it and every later one
//! fail with `ENOSPC`; `count` writes the number of points that were passed to the
//! file named by `NIVAL_FAULT_LOG`, where all modes also append one line a point.
//! With `NIVAL_FAULT_ONCE`, the process that makes that file has its fault, and no other one.

use std::io;
use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Clone, Copy)]
enum Mode {
    Off,
    Count,
    Stop(u64),
    Fail(u64),
    Full(u64),
}

static PASSED: AtomicU64 = AtomicU64::new(0);

fn mode() -> Mode {
    static MODE: OnceLock<Mode> = OnceLock::new();
    *MODE.get_or_init(|| {
        let Ok(text) = std::env::var("NIVAL_FAULT") else { return Mode::Off };
        let at = |n: &str| n.parse().unwrap_or(u64::MAX);
        match text.split_once('@') {
            Some(("stop", n)) => Mode::Stop(at(n)),
            Some(("fail", n)) => Mode::Fail(at(n)),
            Some(("full", n)) => Mode::Full(at(n)),
            _ if text == "count" => Mode::Count,
            _ => Mode::Off,
        }
    })
}

/// Passes one point at which the world is about to be changed; `call` names the call, `on` its object.
///
/// # Errors
/// The error that a test injected here; never one otherwise.
pub fn point(call: &'static str, on: &dyn std::fmt::Debug) -> io::Result<()> {
    let mode = mode();
    if matches!(mode, Mode::Off) {
        return Ok(());
    }
    let now = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
    log(now, call, on);
    match mode {
        Mode::Stop(at) if at == now && first() => {
            crate::fs::kill_self();
            Ok(())
        }
        Mode::Fail(at) if at == now && first() => Err(io::Error::from_raw_os_error(libc::EIO)),
        Mode::Full(at) if at <= now => Err(io::Error::from_raw_os_error(libc::ENOSPC)),
        _ => Ok(()),
    }
}

/// Whether no other process had its fault yet, where only one is to have it.
fn first() -> bool {
    let Some(path) = std::env::var_os("NIVAL_FAULT_ONCE") else { return true };
    std::fs::OpenOptions::new().write(true).create_new(true).open(path).is_ok()
}

fn log(now: u64, call: &str, on: &dyn std::fmt::Debug) {
    let Some(path) = std::env::var_os("NIVAL_FAULT_LOG") else { return };
    if let Ok(mut file) = std::fs::OpenOptions::new().append(true).create(true).open(path) {
        let line = format!("{now} {} {call} {on:?}\n", std::process::id());
        let _ = file.write_all(line.as_bytes());
    }
}
