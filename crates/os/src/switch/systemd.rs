//! What the executor asks the machine's systemd for.

use crate::checks;
use crate::plan::Action;
use nival_sys::process;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What went wrong with units.
#[derive(Debug)]
pub(super) struct Trouble {
    pub reason: String,
    pub journal: Vec<String>,
}

/// How long a service may go on answering from its old files after it was asked to read the new ones:
/// nginx lets its old processes accept connections for a tenth of a second.
const RELOADING: Duration = Duration::from_millis(400);

/// Does something to units in one transaction and waits until it is done.
pub(super) fn act(action: Action, units: &[String]) -> Result<(), Trouble> {
    let verb = match action {
        Action::Stop => "stop",
        Action::Reload => "reload",
        Action::Restart => "restart",
        Action::Start => "start",
        Action::Reexecute | Action::Later => return Ok(()),
    };
    if matches!(action, Action::Start | Action::Restart) {
        // Several switches in a row are no crash loop: the count of starts begins anew.
        forget_failures(units);
    }
    let mut words = vec![verb];
    words.extend(units.iter().map(String::as_str));
    let Err(said) = systemctl(&words) else {
        if action == Action::Reload {
            std::thread::sleep(RELOADING);
        }
        return Ok(());
    };
    // A unit that was stopped by hand cannot be reloaded; it reads its files when it starts.
    let inactive = |unit: &&String| action != Action::Reload || checks::unit_state(unit) != "inactive";
    let gone = |unit: &&String| {
        action == Action::Stop && said.contains("not loaded") && said.contains(unit.as_str())
    };
    let bad = units.iter().filter(inactive).filter(|unit| !gone(unit)).find(|unit| is_bad(unit, action));
    match bad {
        Some(unit) => Err(Trouble {
            reason: format!("the unit `{unit}` did not {verb}: {}", first_line(&said)),
            journal: checks::unit_journal(unit),
        }),
        None if action == Action::Stop || action == Action::Reload => Ok(()),
        None => Err(Trouble {
            reason: format!("systemd could not {verb}: {}", first_line(&said)),
            journal: Vec::new(),
        }),
    }
}

fn is_bad(unit: &str, action: Action) -> bool {
    let state = checks::unit_state(unit);
    match action {
        Action::Stop => state != "inactive" && state != "failed",
        Action::Reload => true,
        _ => state != "active",
    }
}

/// Lets systemd read all units again, as its new version where it changed itself.
pub(super) fn load(again: bool) -> Result<(), String> {
    systemctl(&[if again { "daemon-reexec" } else { "daemon-reload" }])
}

/// Lets units that failed start again without a mark.
pub(super) fn forget_failures(units: &[String]) {
    if !units.is_empty() {
        let mut words = vec!["reset-failed"];
        words.extend(units.iter().map(String::as_str));
        let _ = systemctl(&words);
    }
}

fn systemctl(words: &[&str]) -> Result<(), String> {
    let mut command = Command::new("/usr/bin/systemctl");
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = process::spawn(&mut command).map_err(|error| error.to_string())?;
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("it said nothing")
}
