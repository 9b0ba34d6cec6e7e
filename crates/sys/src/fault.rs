//! Faults that tests inject into calls that change something.
//!
//! `NIVAL_FAULT=stop@N` ends the process by SIGKILL at the N-th point (from 1),
//! `fail@N` makes that call fail with `EIO`, `full@N` makes it and every later one that
//! needs space fail with `ENOSPC` until [`freed`]; `count` writes the number of points that were passed to the
//! file named by `NIVAL_FAULT_LOG`, where all modes also append one line a point.
//! With `NIVAL_FAULT_ONCE`, the process that makes that file has its fault, and no other one; with `NIVAL_FAULT_IN`,
//! only processes of that part do: `client`, the word behind `internal`, or what [`begin_part`] says.

use std::io;
use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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

/// The calls that a full disk refuses.
const WANT_SPACE: [&str; 9] =
    ["mkdir", "create", "append", "open", "write", "fsync", "symlink", "link", "setxattr"];
static FREED: AtomicBool = AtomicBool::new(false);

/// Says that space was freed: a disk that a test made full is full no more.
pub fn freed() {
    FREED.store(true, Ordering::SeqCst);
}

static PART: RwLock<Option<&'static str>> = RwLock::new(None);

/// Says that this process is a part of its own from here on, whose points are counted anew.
pub fn begin_part(name: &'static str) {
    if let Ok(mut part) = PART.write() {
        *part = Some(name);
    }
    PASSED.store(0, Ordering::SeqCst);
}

/// The name of the part that this process is.
fn part() -> String {
    if let Some(name) = PART.read().ok().and_then(|part| *part) {
        return name.to_owned();
    }
    let mut words = std::env::args_os().skip(1);
    match words.next() {
        Some(word) if word == "internal" => {
            words.next().map_or_else(String::new, |word| word.to_string_lossy().into_owned())
        }
        _ => "client".to_owned(),
    }
}

fn is_meant() -> bool {
    std::env::var("NIVAL_FAULT_IN").map_or(true, |wanted| wanted == part())
}

/// Passes one point at which the world is about to be changed; `call` names the call, `on` its object.
///
/// # Errors
/// The error that a test injected here; never one otherwise.
pub fn point(call: &'static str, on: &dyn std::fmt::Debug) -> io::Result<()> {
    let mode = mode();
    if matches!(mode, Mode::Off) || !is_meant() {
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
        Mode::Full(at) if at <= now && WANT_SPACE.contains(&call) && !FREED.load(Ordering::SeqCst) => {
            Err(io::Error::from_raw_os_error(libc::ENOSPC))
        }
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
        let line = format!("{now} {} {} {call} {on:?}\n", std::process::id(), part());
        let _ = file.write_all(line.as_bytes());
    }
}
