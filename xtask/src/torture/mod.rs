//! The long campaigns: every call that changes something is interrupted, one after the other, and processes are killed
//! at random. Each time, within ten seconds and with no command typed, a running machine must be wholly of the old or
//! the new generation, the next command must work, and `down` must leave nothing behind.

mod bring;
mod kills;
mod lab;
mod machine;
mod report;
mod resets;
mod store;

use crate::command::{Failure, cargo, run};
use lab::Setting;
use report::Report;
use std::path::PathBuf;

/// What can be typed behind `cargo xtask torture`.
struct Options {
    seed: u64,
    /// Only every so many points.
    every: usize,
    jobs: usize,
    kills: usize,
    /// Hard resets of a virtual machine.
    resets: usize,
    phases: Vec<String>,
    program: Option<PathBuf>,
}

/// All campaigns: what is interrupted, and how. `stop` ends the program there, `fail` makes the call fail, `full` makes
/// the disk full from there on.
const PHASES: [&str; 17] = [
    "store",
    "resets",
    "lock-stop",
    "lock-fail",
    "build-stop",
    "build-fail",
    "build-full",
    "up-stop",
    "up-fail",
    "up-full",
    "switch-stop",
    "switch-fail",
    "switch-full",
    "kill-root",
    "kill-user",
    "adopt-stop",
    "adopt-fail",
];

/// Runs the campaigns and fails where one found something bad.
pub fn torture(words: &[String]) -> Result<(), Failure> {
    let options = parse(words)?;
    println!("seed {}, every {}. point, {} kills", options.seed, options.every, options.kills);
    let program = match &options.program {
        Some(program) => program.clone(),
        None => {
            run(cargo(&["build", "--release", "--package", "nival"]))?;
            let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
            target.join("release/nival")
        }
    };
    if options.phases.iter().any(|phase| phase == "store") {
        store::run(&program, options.every, options.jobs, options.seed)?;
    }
    if options.phases.iter().any(|phase| phase == "resets") {
        resets::run_campaign(&program, options.resets, options.seed)?;
    }
    let own = ["store", "resets"];
    let machines: Vec<&String> =
        options.phases.iter().filter(|phase| !own.contains(&phase.as_str())).collect();
    if machines.is_empty() {
        return Ok(());
    }
    let setting = Setting::make(&program)?;
    let mut bad = 0;
    for phase in machines {
        let report = one(&setting, phase, &options)?;
        println!("{report}");
        bad += report.bad.len();
    }
    if bad == 0 { Ok(()) } else { Err(Failure::Said(format!("{bad} interruptions ended badly"))) }
}

/// A short part of the campaigns that is always the same, on the program that the tests were run with.
pub fn sample() -> Result<(), Failure> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    store::run(&target.join("debug/nival"), 11, 2, 7)?;
    let setting = Setting::make(&target.join("debug/nival"))?;
    let mut bad = 0;
    for (phase, every) in
        [("up-stop", 97), ("switch-stop", 61), ("switch-fail", 89), ("adopt-stop", 9), ("kill-root", 1)]
    {
        let options = Options { every, kills: 5, seed: 7, ..Options::default() };
        let report = one(&setting, phase, &options)?;
        println!("{report}");
        bad += report.bad.len();
    }
    if bad == 0 { Ok(()) } else { Err(Failure::Said(format!("{bad} interruptions ended badly"))) }
}

fn one(setting: &Setting, phase: &str, options: &Options) -> Result<Report, Failure> {
    let (what, mode) = phase.split_once('-').unwrap_or((phase, ""));
    // A disk that is full stays full: fewer points tell as much.
    let every = if mode == "full" { options.every * 5 } else { options.every };
    match what {
        "lock" => bring::lock(setting, mode, every),
        "build" => bring::build(setting, mode, every, options.jobs),
        "up" => machine::up(setting, mode, every, options.jobs),
        "switch" => machine::switch(setting, mode, every, options.jobs),
        "adopt" => machine::adopt(setting, mode, every, options.jobs),
        _ => kills::kills(setting, mode == "user", options.kills, options.seed),
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: u64::from(std::process::id()),
            every: 1,
            jobs: 2,
            kills: 50,
            resets: 20,
            phases: PHASES.map(str::to_owned).to_vec(),
            program: None,
        }
    }
}

fn parse(words: &[String]) -> Result<Options, Failure> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| Failure::Said(format!("{word} wants a value")));
        let number = |text: &String| {
            text.parse::<usize>().map_err(|_| Failure::Said(format!("this is no number: {text}")))
        };
        match word.as_str() {
            "--every" => options.every = number(value()?)?.max(1),
            "--jobs" => options.jobs = number(value()?)?.max(1),
            "--kills" => options.kills = number(value()?)?,
            "--resets" => options.resets = number(value()?)?,
            "--program" => options.program = Some(PathBuf::from(value()?)),
            "--phase" => {
                let wanted = value()?;
                options.phases = PHASES.map(str::to_owned).to_vec();
                options.phases.retain(|phase| phase.starts_with(wanted.as_str()));
            }
            "store" | "resets" => options.phases = vec![word.clone()],
            seed => options.seed = number(&seed.to_owned())? as u64,
        }
    }
    Ok(options)
}
