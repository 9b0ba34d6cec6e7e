//! Random `kill -9` of all that holds, changes or asks for a machine.

use super::lab::{Lab, Setting};
use super::machine::{Found, end, look, rest};
use super::report::Report;
use crate::command::Failure;
use std::process::{Command, Stdio};
use std::time::Duration;

const PARTS: [&str; 6] = ["client", "supervisor", "monitor", "executor", "first", "two"];

/// Kills random processes at random moments of a switch.
pub fn kills(setting: &Setting, user: bool, count: usize, seed: u64) -> Result<Report, Failure> {
    let mut random = Random(seed);
    let lab = setting.lab(if user { "killsuser" } else { "killsroot" }, user)?;
    let mut report = Report::new(if user { "kill-user" } else { "kill-root" });
    lab.configure("first", "");
    let up = lab.run(&["up", "--detach", "project"]);
    if up.code != 0 {
        return Err(Failure::Said(up.err));
    }
    for turn in 0..count {
        let part = PARTS[random.below(PARTS.len() as u64) as usize];
        let moment = Duration::from_millis(random.below(1500));
        let result = one(&lab, part, moment, turn);
        if result.is_err() {
            let _ = end(&lab);
            lab.configure("again", "");
            let _ = lab.run(&["up", "--detach", "project"]);
        }
        report.note(&format!("{part} after {} ms", moment.as_millis()), result);
    }
    if let Err(reason) = end(&lab) {
        report.note("the end", Err(reason));
    }
    Ok(report)
}

fn one(lab: &Lab, part: &str, moment: Duration, turn: usize) -> Result<(&'static str, Duration), String> {
    let Found::Whole(old) = look(lab) else { return Err("it was not whole before".to_owned()) };
    let new = format!("t{turn}");
    lab.configure(&new, "");
    let mut command = lab.command(&["switch", "project"]);
    let client = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut client = client.map_err(|error| error.to_string())?;
    std::thread::sleep(moment);
    let targets = targets(lab, part, client.id());
    for pid in &targets {
        let _ = Command::new("kill").args(["-9", pid]).stderr(Stdio::null()).status();
    }
    let (found, time) = rest(lab, false, &[&old, &new])?;
    let ended = (0..400).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        client.try_wait().is_ok_and(|status| status.is_some())
    });
    if !ended {
        let _ = client.kill();
        return Err("the client does not end".to_owned());
    }
    let again = lab.run(&["switch", "project"]);
    if again.code != 0 {
        return Err(format!("the next `switch` failed: {}", again.err));
    }
    rest(lab, false, &[&new])?;
    let word = match (targets.is_empty(), found == Found::Whole(new)) {
        (true, _) => "not there",
        (false, true) => "new",
        (false, false) => "old",
    };
    Ok((word, time))
}

/// The processes to kill, by what they are; `two` are the supervisor and the client at once.
pub fn targets(lab: &Lab, part: &str, client: u32) -> Vec<String> {
    let data = lab.folder.to_string_lossy().into_owned();
    let output = Command::new("ps").args(["-eo", "pid=,ppid=,args="]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let rows: Vec<(String, String, String)> = text
        .lines()
        .filter_map(|line| {
            let (pid, rest) = line.trim_start().split_once(' ')?;
            let (parent, words) = rest.trim_start().split_once(' ')?;
            Some((pid.to_owned(), parent.to_owned(), words.to_owned()))
        })
        .collect();
    let of = |words: &[&str]| -> Vec<String> {
        let is = |row: &&(String, String, String)| {
            let ours = row.2.contains(&data)
                || std::fs::read(format!("/proc/{}/environ", row.0))
                    .is_ok_and(|text| String::from_utf8_lossy(&text).contains(&data));
            ours && words.iter().any(|word| row.2.contains(word))
        };
        rows.iter().filter(is).map(|row| row.0.clone()).collect()
    };
    let monitors = of(&["internal machine"]);
    match part {
        "client" => vec![client.to_string()],
        "supervisor" => of(&["internal supervisor", "internal adopt"]),
        "monitor" => monitors,
        "first" => rows
            .iter()
            .filter(|row| monitors.contains(&row.1) && !row.2.contains("internal"))
            .map(|row| row.0.clone())
            .collect(),
        // The machine's processes have no variable of ours.
        "executor" => executors(&rows, &monitors),
        _ => {
            let mut both = of(&["internal supervisor", "internal adopt"]);
            both.push(client.to_string());
            both
        }
    }
}

/// The executors in the machine of a monitor.
fn executors(rows: &[(String, String, String)], monitors: &[String]) -> Vec<String> {
    let inside: Vec<&String> =
        rows.iter().filter(|row| monitors.contains(&row.1)).map(|row| &row.0).collect();
    let ours =
        |row: &&(String, String, String)| row.2.contains("internal switch") && inside.contains(&&row.1);
    rows.iter().filter(ours).map(|row| row.0.clone()).collect()
}

/// Numbers that are the same for the same seed (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
