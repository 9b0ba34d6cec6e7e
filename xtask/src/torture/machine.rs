//! Interruptions of `up` and `switch`, and the check that a machine is wholly of one generation.

use super::lab::{Lab, Point, Setting, share};
use super::report::Report;
use crate::command::Failure;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a machine may take to come to rest.
const LIMIT: Duration = Duration::from_secs(10);

/// What a machine is.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    Down,
    /// Wholly of the generation with this letter.
    Whole(String),
    /// Not at rest, or mixed.
    Other(String),
}

const LOOK: &str = "cat /etc/setting; echo; tr '\\0' '\\n' < /proc/$(systemctl show -P MainPID mark)/environ | sed -n 's/^MARK=//p'; \
    systemctl list-units --plain --no-legend --state=active 'only-*' | sed 's/^only-//; s/\\.service.*//'; grep -c ' /system ' /proc/1/mountinfo";

/// Looks at a machine with all that shows its generation.
pub fn look(lab: &Lab) -> Found {
    let status = lab.run(&["status", "--json", &lab.name]);
    if status.err.contains("NV0611") {
        return Found::Down;
    }
    let Ok(json) = serde_json::from_str::<Value>(&status.out) else { return Found::Other(status.err) };
    match json[0]["phase"].as_str() {
        Some("down") => return Found::Down,
        Some("running") => {}
        other => return Found::Other(format!("phase {other:?}")),
    }
    let page = page(&json[0]);
    let inside = lab.run(&["shell", &lab.name, "--", "sh", "-c", LOOK]);
    let lines: Vec<&str> = inside.out.lines().filter(|line| !line.is_empty()).collect();
    let manifest =
        format!("data/machines/{}/state/generations/{}/manifest.json", lab.name, json[0]["generation"]);
    let manifest = std::fs::read_to_string(lab.folder.join(manifest)).unwrap_or_default();
    let [setting, mark, only, mounts] = lines[..] else {
        return Found::Other(format!("page {page:?}, inside {lines:?} {}", inside.err.trim()));
    };
    let letter = setting.to_owned();
    let whole = page.as_deref() == Some(&format!("page-{letter}"))
        && mark == letter
        && only == letter
        && mounts == "1"
        && manifest.contains(&format!("page-{letter}\""))
            | manifest.contains(&format!("page-{letter};"))
            | manifest.contains(&format!("page-{letter}\\\""));
    if whole { Found::Whole(letter) } else { Found::Other(format!("page {page:?}, inside {lines:?}")) }
}

fn page(status: &Value) -> Option<String> {
    let ports = status["ports"].as_array()?;
    let port = ports.iter().find(|port| port["guest"] == 80)?["host"].as_u64()?;
    let mut stream = TcpStream::connect(("127.0.0.1", u16::try_from(port).ok()?)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(3))).ok()?;
    write!(stream, "GET / HTTP/1.0\r\nHost: site\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text.rsplit("\r\n").next()?.trim().to_owned())
}

/// Waits, typing nothing, until a machine is at rest; gives how, and how long that took.
pub fn rest(lab: &Lab, may_be_down: bool, letters: &[&str]) -> Result<(Found, Duration), String> {
    let start = Instant::now();
    loop {
        let found = look(lab);
        let good = match &found {
            Found::Down => may_be_down,
            Found::Whole(letter) => letters.contains(&letter.as_str()),
            Found::Other(_) => false,
        };
        if good {
            return Ok((found, start.elapsed()));
        }
        if start.elapsed() > LIMIT {
            return Err(format!("not at rest after {LIMIT:?}: {found:?}"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Stops the machine and deletes it; nothing may be left.
pub fn end(lab: &Lab) -> Result<(), String> {
    let down = lab.run(&["down", "--delete-data", "--yes", &lab.name]);
    if down.code != 0 && !down.err.contains("NV0611") {
        return Err(format!("`down` failed: {}", down.err));
    }
    // A supervisor that was asked to end may still be on its way out.
    let begin = Instant::now();
    let mut left = lab.remains();
    while !left.is_empty() && begin.elapsed() < Duration::from_secs(3) {
        std::thread::sleep(Duration::from_millis(50));
        left = lab.remains();
    }
    if left.is_empty() { Ok(()) } else { Err(format!("left after `down`: {}", left.join("; "))) }
}

const UP: [&str; 3] = ["up", "--detach", "project"];

fn labs(setting: &Setting, jobs: usize) -> Result<Vec<Lab>, Failure> {
    (0..jobs).map(|job| setting.lab(&format!("lab{job}"), false)).collect()
}

fn thinned(points: Vec<Point>, every: usize) -> Vec<Point> {
    points.into_iter().step_by(every).collect()
}

/// Interrupts `up` of a new machine at every point of every part.
pub fn up(setting: &Setting, mode: &str, every: usize, jobs: usize) -> Result<Report, Failure> {
    let labs = labs(setting, jobs)?;
    for lab in &labs {
        lab.configure("A", "");
    }
    let parts = ["client", "supervisor", "machine", "first", "enter"];
    let points = thinned(labs[0].points(&UP, &parts)?, every);
    end(&labs[0]).map_err(Failure::Said)?;
    Ok(share(labs, &format!("up-{mode}"), points, |lab, point, report| {
        let result = one_up(lab, mode, point);
        report.note(&point.text(), result);
        let _ = end(lab);
    }))
}

fn one_up(lab: &Lab, mode: &str, point: &Point) -> Result<(&'static str, Duration), String> {
    let (said, happened) = lab.interrupted(&UP, mode, point);
    if !said.is_proper() {
        return Err(format!("`up` said: {}", said.err));
    }
    let (found, time) = rest(lab, true, &["A"])?;
    let again = lab.run(&UP);
    let running = again.err.contains("NV0609") && found != Found::Down;
    if again.code != 0 && !running {
        return Err(format!("the next `up` failed: {}", again.err));
    }
    rest(lab, false, &["A"])?;
    end(lab)?;
    Ok((
        if !happened {
            "not met"
        } else if found == Found::Down {
            "down"
        } else {
            "up"
        },
        time,
    ))
}

/// Kills the supervisor of a running machine, and interrupts its successor at every point.
pub fn adopt(setting: &Setting, mode: &str, every: usize, jobs: usize) -> Result<Report, Failure> {
    let labs = labs(setting, jobs)?;
    for lab in &labs {
        lab.configure("A", "");
    }
    let log = labs[0].folder.join("points");
    let mut command = labs[0].command(&UP);
    command.env("NIVAL_FAULT", "count").env("NIVAL_FAULT_LOG", &log).env("NIVAL_FAULT_IN", "adopt");
    command.output().map_err(|error| Failure::Said(error.to_string()))?;
    kill_supervisor(&labs[0]);
    let _ = rest(&labs[0], false, &["A"]);
    end(&labs[0]).map_err(Failure::Said)?;
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    let points = thinned(super::lab::parse(&text, &["adopt"]), every);
    Ok(share(labs, &format!("adopt-{mode}"), points, |lab, point, report| {
        let check = || -> Result<(&str, Duration), String> {
            let (up, _) = lab.interrupted(&UP, mode, point);
            if up.code != 0 {
                return Err(up.err);
            }
            rest(lab, false, &["A"])?;
            kill_supervisor(lab);
            let (_, mut time) = rest(lab, false, &["A"])?;
            let mut word = "up";
            if !lab.folder.join("once").exists() {
                // The point belongs to the end of the machine.
                let start = Instant::now();
                end(lab)?;
                (time, word) = (start.elapsed(), "down");
            }
            end(lab)?;
            Ok((word, time))
        };
        report.note(&point.text(), check());
        let _ = end(lab);
    }))
}

fn kill_supervisor(lab: &Lab) {
    for pid in super::kills::targets(lab, "supervisor", 0) {
        let _ = std::process::Command::new("kill").args(["-9", &pid]).status();
    }
}

static TURN: AtomicUsize = AtomicUsize::new(0);

/// Interrupts `switch` at every point of the command and of the executor.
pub fn switch(setting: &Setting, mode: &str, every: usize, jobs: usize) -> Result<Report, Failure> {
    let labs = labs(setting, jobs)?;
    for lab in &labs {
        lab.configure("first", "");
        let up = lab.run(&UP);
        if up.code != 0 {
            return Err(Failure::Said(up.err));
        }
    }
    let lab = &labs[0];
    lab.configure("counted", "");
    faults_inside(lab, "NIVAL_FAULT=count\\nNIVAL_FAULT_LOG=/run/nival/points\\n");
    let mut points = lab.points(&["switch", "project"], &["client"])?;
    let log = lab.run(&["shell", &lab.name, "--", "cat", "/run/nival/points"]).out;
    points.extend(super::lab::parse(&log, &["switch"]));
    Ok(share(labs, &format!("switch-{mode}"), thinned(points, every), |lab, point, report| {
        let result = one_switch(lab, mode, point);
        if result.is_err() {
            let _ = end(lab);
            lab.configure("again", "");
            let _ = lab.run(&UP);
        }
        report.note(&point.text(), result);
    }))
}

fn faults_inside(lab: &Lab, lines: &str) {
    let script = format!("rm -f /run/nival/once /run/nival/points; printf '{lines}' > /run/nival/switch.env");
    let _ = lab.run(&["shell", &lab.name, "--", "sh", "-c", &script]);
}

fn one_switch(lab: &Lab, mode: &str, point: &Point) -> Result<(&'static str, Duration), String> {
    let Found::Whole(old) = look(lab) else { return Err("it was not whole before".to_owned()) };
    let new = format!("t{}", TURN.fetch_add(1, Ordering::SeqCst));
    lab.configure(&new, "");
    let words = ["switch", "project"];
    let (said, happened) = if point.part == "client" {
        faults_inside(lab, "");
        lab.interrupted(&words, mode, point)
    } else {
        let fault = format!(
            "NIVAL_FAULT={mode}@{}\\nNIVAL_FAULT_IN=switch\\nNIVAL_FAULT_ONCE=/run/nival/once\\n",
            point.number
        );
        faults_inside(lab, &fault);
        let said = super::lab::limited(lab.command(&words));
        let once = lab.run(&["shell", &lab.name, "--", "test", "-e", "/run/nival/once"]);
        (said, once.code == 0 || mode == "full")
    };
    if !said.is_proper() {
        return Err(format!("`switch` said: {}", said.err));
    }
    let (found, time) = rest(lab, false, &[&old, &new])?;
    faults_inside(lab, "");
    let again = lab.run(&words);
    if again.code != 0 {
        return Err(format!("the next `switch` failed: {}", again.err));
    }
    rest(lab, false, &[&new])?;
    Ok((
        if !happened {
            "not met"
        } else if found == Found::Whole(new) {
            "new"
        } else {
            "old"
        },
        time,
    ))
}
