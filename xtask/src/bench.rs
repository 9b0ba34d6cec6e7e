//! Measuring the command as a user runs it; ratios against the peer where it is installed.

use crate::bench_builds;
use crate::bench_collector;
use crate::bench_evaluator::{self, Trees};
use crate::command::{Failure, cargo, run};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// How often each thing is measured.
const RUNS: usize = 3;

/// Phases that depend on the network alone.
const NETWORK: [&str; 2] = ["fetch indices", "download"];

/// Measures, and prints Markdown tables for docs/benchmarks.md. With `evaluator`, `builds` or `collector` these alone,
/// against the peer and on the trees that [`Trees::from`] reads; else the command too.
pub fn bench(words: &[String]) -> Result<(), Failure> {
    run(cargo(&["build", "--release", "--package", "nival"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let nival = std::path::absolute(target.join("release/nival")).unwrap_or_default();
    let folder = std::env::temp_dir().join(format!("nival-bench-{}", std::process::id()));
    let trees = Trees::from(words);
    let result = match words.first().map(String::as_str) {
        Some("evaluator") => bench_evaluator::measure(&nival, &folder, &trees),
        Some("collector") => bench_collector::measure(&nival, &folder, words),
        Some("builds") => bench_builds::measure(&nival, &folder),
        _ => measure(&nival, &folder)
            .and_then(|()| bench_evaluator::measure(&nival, &folder, &trees))
            .and_then(|()| bench_builds::measure(&nival, &folder)),
    };
    let clean = Command::new("sh").args(["-c", "chmod -R u+w \"$0\"; rm -rf \"$0\""]).arg(&folder).status();
    drop(clean);
    result
}

fn measure(nival: &Path, folder: &Path) -> Result<(), Failure> {
    println!("| what | least | median | most |\n|---|---|---|---|");
    let expression = times(5, || timed(Command::new(nival).args(["eval", "-E", "1 + 1"])))?;
    row("`1 + 1`, the process", &expression);
    let peer = || timed(Command::new("nix-instantiate").args(["--eval", "--readonly-mode", "-E", "1 + 1"]));
    if let Ok(theirs) = times(5, peer) {
        println!("| ratio to C++ Nix | | {:.2} | |", median(&expression) / median(&theirs));
    }
    let (mut first, mut again, mut change) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..RUNS {
        let data = folder.join(turn.to_string());
        let example = data.join("bench");
        copy(Path::new("examples/web"), &example)?;
        let nival = |words: &[&str]| {
            let mut command = Command::new(nival);
            command.arg("--json").args(words).arg(&example).env("NIVAL_DATA_DIR", &data);
            command
        };
        let up = phases(&mut nival(&["up", "--detach"]))?;
        first.push(
            up.iter().filter(|(name, _)| !NETWORK.iter().any(|n| name.starts_with(n))).map(|(_, s)| s).sum(),
        );
        let down = || {
            timed(Command::new(nival(&[]).get_program()).args(["down", "bench"]).env("NIVAL_DATA_DIR", &data))
        };
        down()?;
        again.push(timed(&mut nival(&["up", "--detach"]))?);
        let configuration = example.join("configuration.nix");
        let text = std::fs::read_to_string(&configuration).map_err(said)?;
        let changed = text.replace("root = ./site;", "root = ./site; redirects.\"/old\" = \"/\";");
        std::fs::write(&configuration, changed).map_err(said)?;
        change.push(timed(&mut nival(&["switch"]))?);
        down()?;
    }
    row("`up` on an empty store, from the solver to answers, without index and download", &first);
    row("`up` again", &again);
    row("`switch` that reloads nginx", &change);
    Ok(())
}

fn said(error: std::io::Error) -> Failure {
    Failure::Said(error.to_string())
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to).map_err(said)?;
    for entry in from.read_dir().map_err(said)?.flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else if entry.path().extension().is_none_or(|extension| extension != "lock") {
            std::fs::copy(entry.path(), target).map_err(said)?;
        }
    }
    Ok(())
}

/// Seconds that a command takes, which must succeed.
fn timed(command: &mut Command) -> Result<f64, Failure> {
    let begin = Instant::now();
    let output = command.output().map_err(said)?;
    let seconds = begin.elapsed().as_secs_f64();
    if output.status.success() {
        return Ok(seconds);
    }
    Err(Failure::Said(String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// The phases that `nival --json up` reports.
fn phases(command: &mut Command) -> Result<Vec<(String, f64)>, Failure> {
    let output = command.output().map_err(said)?;
    let json: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| Failure::Said(String::from_utf8_lossy(&output.stderr).into_owned()))?;
    let all = json["phases"].as_array().cloned().unwrap_or_default();
    let one = |phase: &Value| Some((phase["name"].as_str()?.to_owned(), phase["seconds"].as_f64()?));
    Ok(all.iter().filter_map(one).collect())
}

fn times(runs: usize, mut once: impl FnMut() -> Result<f64, Failure>) -> Result<Vec<f64>, Failure> {
    once()?;
    (0..runs).map(|_| once()).collect()
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

fn median(values: &[f64]) -> f64 {
    sorted(values).get(values.len() / 2).copied().unwrap_or(0.0)
}

fn row(what: &str, values: &[f64]) {
    let sorted = sorted(values);
    let (least, most) = (sorted.first().copied().unwrap_or(0.0), sorted.last().copied().unwrap_or(0.0));
    println!("| {what} | {least:.3} s | {:.3} s | {most:.3} s |", median(values));
}
