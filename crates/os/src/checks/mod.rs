//! Health checks: what must answer for a machine to count as well. They run inside of the machine.

mod http;

use crate::manifest::{Check, CheckKind};
use crate::{Error, Manifest, State};
use serde::{Deserialize, Serialize};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The state folder as the machine sees it.
pub(crate) const STATE: &str = "/var/lib/nival";

/// How a machine came up.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// What is wrong.
    pub failure: Option<Error>,
    /// Units that failed and that nobody declared or checks.
    pub warnings: Vec<String>,
}

/// Runs all checks of the current generation, waits until the machine has booted, prints the outcome.
pub(crate) fn main() -> i32 {
    let state = State::new(PathBuf::from(STATE));
    let run = || -> Result<Outcome, Error> {
        let manifest = state.manifest(state.current().unwrap_or(0))?;
        run_all(&manifest.checks, Wrong::WaitsOn)?;
        // A service that runs alone has no systemd that could be asked.
        if manifest.alone.is_some() { Ok(Outcome::default()) } else { booted(&manifest) }
    };
    let outcome = run().unwrap_or_else(|failure| Outcome { failure: Some(failure), warnings: Vec::new() });
    println!("{}", serde_json::to_string(&outcome).unwrap_or_default());
    i32::from(outcome.failure.is_some())
}

/// What an answer means that is plainly wrong, such as a page with status 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Nothing yet: what it needs may still be starting.
    WaitsOn,
    /// That it will stay so, when it was given again and again during the grace of the check.
    Counts,
}

/// Why a check does not succeed now.
struct No {
    reason: String,
    /// Whether there was an answer, and a wrong one.
    answered: bool,
}

impl From<String> for No {
    fn from(reason: String) -> Self {
        Self { reason, answered: false }
    }
}

/// How many wrong answers in a row count at least.
const WRONG_ANSWERS: u32 = 3;

/// Runs checks beside each other; the first one that fails is the answer.
pub(crate) fn run_all(checks: &[Check], wrong: Wrong) -> Result<(), Error> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = checks.iter().map(|check| scope.spawn(move || run_one(check, wrong))).collect();
        let results = threads.into_iter().map(|thread| thread.join().unwrap_or(Ok(())));
        results.collect::<Vec<_>>().into_iter().collect()
    })
}

fn run_one(check: &Check, wrong: Wrong) -> Result<(), Error> {
    let end = Instant::now() + Duration::from_secs_f64(check.timeout_seconds.clamp(0.1, 3600.0));
    let grace = Duration::from_secs_f64(check.grace_seconds.clamp(0.0, 3600.0));
    let mut pause = Duration::from_millis(10);
    let mut answers: Option<(Instant, u32)> = None;
    loop {
        let Err(no) = ask(&check.kind, end) else { return Ok(()) };
        let state = || if check.unit.is_empty() { "active".to_owned() } else { unit_state(&check.unit) };
        let dead = state() == "failed";
        answers = match answers {
            _ if !no.answered || wrong == Wrong::WaitsOn => None,
            None => Some((Instant::now(), 1)),
            Some((since, count)) => Some((since, count + 1)),
        };
        let is_final = answers.is_some_and(|(since, count)| {
            count >= WRONG_ANSWERS && since.elapsed() >= grace && state() == "active"
        });
        if Instant::now() + pause >= end || dead || is_final {
            let reason =
                if dead { format!("{}; the unit `{}` failed", no.reason, check.unit) } else { no.reason };
            return Err(Error::Check {
                check: check.name.clone(),
                reason,
                journal: unit_journal(&check.unit),
            });
        }
        std::thread::sleep(pause);
        let most = if answers.is_some() { grace / 4 } else { Duration::from_millis(250) };
        pause = (pause * 2).min(most.clamp(Duration::from_millis(20), Duration::from_millis(250)));
    }
}

/// What servers answer with that wait for another one.
const NOT_THERE_YET: [u16; 4] = [429, 502, 503, 504];

fn ask(kind: &CheckKind, end: Instant) -> Result<(), No> {
    let left = end
        .saturating_duration_since(Instant::now())
        .clamp(Duration::from_millis(50), Duration::from_secs(10));
    match kind {
        CheckKind::Http { url, host, status, contains } => {
            let page = http::get(url, host.as_deref(), left)?;
            let answered = !NOT_THERE_YET.contains(&page.status);
            let no = |reason: String| Err(No { reason, answered });
            match status {
                Some(wanted) if *wanted != page.status => {
                    return no(format!("`{url}` answers {} instead of {wanted}", page.status));
                }
                None if page.status >= 500 => return no(format!("`{url}` answers {}", page.status)),
                _ => {}
            }
            match contains {
                Some(text) if !page.body.contains(text.as_str()) => {
                    no(format!("the page of `{url}` does not hold `{text}`"))
                }
                _ => Ok(()),
            }
        }
        CheckKind::Tcp { port } => Ok(connect(*port, left).map(drop)?),
        CheckKind::Command(words) => Ok(command(words, left)?),
    }
}

/// Connects to a port of this machine, whichever of its own addresses it listens on.
pub(crate) fn connect(port: u16, time: Duration) -> Result<TcpStream, String> {
    let addresses =
        [SocketAddr::from(([127, 0, 0, 1], port)), SocketAddr::from(([0u16, 0, 0, 0, 0, 0, 0, 1], port))];
    let mut reason = String::new();
    for address in addresses {
        match TcpStream::connect_timeout(&address, time) {
            Ok(stream) => return Ok(stream),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(format!("port {port} does not accept a connection: {reason}"))
}

fn command(words: &[String], time: Duration) -> Result<(), String> {
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = nival_sys::process::spawn(&mut command).map_err(|error| error.to_string())?;
    let end = Instant::now() + time;
    while Instant::now() < end {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => {
                let mut said = String::new();
                if let Some(mut stream) = child.stderr.take() {
                    let _ = std::io::Read::read_to_string(&mut stream, &mut said);
                }
                return Err(format!(
                    "`{program}` ended with {}: {}",
                    nival_sys::process::exit_code(status),
                    said.trim()
                ));
            }
            Ok(None) => std::thread::sleep(Duration::from_millis(10)),
            Err(error) => return Err(error.to_string()),
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    Err(format!("`{program}` did not end in time"))
}

/// What systemd says about a unit: `active`, `failed`, ...
pub(crate) fn unit_state(unit: &str) -> String {
    output("systemctl", &["show", "--value", "--property=ActiveState", unit])
}

/// The last lines of a unit's journal since the machine was started.
pub(crate) fn unit_journal(unit: &str) -> Vec<String> {
    if unit.is_empty() {
        return Vec::new();
    }
    output("journalctl", &["--sync"]);
    // All machines have the boot identifier of their host, so the time tells which lines are of this run.
    let started =
        output("systemctl", &["show", "--timestamp=us+utc", "--property=UserspaceTimestamp", "--value"]);
    let since = format!("--since={started}");
    let mut words =
        vec!["--unit", unit, "--lines=15", "--no-pager", "--output=short-precise", "--no-hostname"];
    if started.ends_with("UTC") {
        words.push(&since);
    }
    let text = output("journalctl", &words);
    text.lines().map(str::to_owned).collect()
}

/// What a program says on its output; nothing when it cannot be started.
pub(crate) fn output(program: &str, arguments: &[&str]) -> String {
    let path = format!("/usr/bin/{program}");
    let mut command = Command::new(path);
    let output = command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// Waits until systemd has done all that belongs to booting; a declared unit that failed is a failure.
fn booted(manifest: &Manifest) -> Result<Outcome, Error> {
    let end = Instant::now() + Duration::from_secs(90);
    let mut state = output("systemctl", &["is-system-running"]);
    while matches!(state.as_str(), "" | "initializing" | "starting" | "offline") && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
        state = output("systemctl", &["is-system-running"]);
    }
    if state == "running" {
        return Ok(Outcome::default());
    }
    let failed = failed_units();
    if let Some(unit) = failed.iter().find(|unit| manifest.units.contains_key(*unit)) {
        return Err(Error::Check {
            check: unit.clone(),
            reason: "the unit failed".to_owned(),
            journal: unit_journal(unit),
        });
    }
    let mut warnings: Vec<String> = failed.iter().map(|unit| format!("the unit `{unit}` failed")).collect();
    if warnings.is_empty() {
        warnings.push(format!("systemd says that the machine is `{state}`"));
    }
    Ok(Outcome { failure: None, warnings })
}

/// The units that failed.
pub(crate) fn failed_units() -> Vec<String> {
    let text = output("systemctl", &["list-units", "--state=failed", "--plain", "--no-legend", "--no-pager"]);
    text.lines().filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}
