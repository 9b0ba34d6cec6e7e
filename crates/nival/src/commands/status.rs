//! `nival status`

use crate::commands::generations::time;
use crate::context::Context;
use crate::error::Error;
use crate::output::Output;
use clap::Args;
use nival_os::{Ended, Status};
use std::fmt::Write as _;
use std::process::ExitCode;

/// What can be typed behind `nival status`.
#[derive(Args)]
pub struct Arguments {
    /// Which machines; all of them where none is named
    machines: Vec<String>,
}

/// Lists machines and, for those that are named, their units. The exit code is 1 where a named machine is not well.
pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let machines = context.machines();
    let named = !arguments.machines.is_empty();
    let names = if named { arguments.machines.clone() } else { machines.names() };
    let mut all = Vec::new();
    for name in &names {
        all.push(machines.status(name)?);
    }
    let mut text = String::new();
    if all.is_empty() {
        text.push_str("no machines yet: `nival up --detach PATH` starts one");
    }
    for status in &all {
        describe(&mut text, status, named, &context.output);
    }
    context.output.result(&text, || serde_json::to_value(&all).unwrap_or_default());
    let well = |status: &Status| {
        status.phase == "running" && status.units.iter().all(|unit| unit.active != "failed")
    };
    Ok(if named && !all.iter().all(well) { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Why a machine ended that nobody asked to, with the code of the reason.
pub fn ended_text(ended: &Ended) -> String {
    format!(
        "ended at {} by itself: {} [{}]",
        time(ended.at),
        ended.error,
        ended.error.diagnostic().entry.code
    )
}

fn describe(text: &mut String, status: &Status, units: bool, output: &Output) {
    let failed = status.units.iter().filter(|unit| unit.active == "failed").count();
    let mut state = status.phase.clone();
    if failed > 0 {
        let _ = write!(state, ", {failed} units failed");
    }
    let color = |code: &str, words: &str| {
        if output.is_colored() { format!("\x1b[{code}m{words}\x1b[0m") } else { words.to_owned() }
    };
    let good = status.phase == "running" && failed == 0;
    let shown = color(
        if good {
            "32"
        } else if failed > 0 {
            "31"
        } else {
            "2"
        },
        &state,
    );
    let generation =
        status.generation.map_or_else(|| "no generation".to_owned(), |number| format!("generation {number}"));
    let ports: Vec<String> =
        status.ports.iter().map(|port| format!("{}:{} -> {}", port.address, port.host, port.guest)).collect();
    let line = format!("{}  {shown}  {generation}  {}", status.name, ports.join(", "));
    let _ = writeln!(text, "{}", line.trim_end());
    if let Some(ended) = &status.ended {
        let _ = writeln!(text, "  {}", ended_text(ended));
    }
    if !units {
        return;
    }
    for unit in &status.units {
        let mark = match unit.active.as_str() {
            "active" => color("32", "●"),
            "failed" => color("31", "✗"),
            _ => "○".to_owned(),
        };
        let _ = writeln!(text, "  {mark} {}  {} ({})", unit.name, unit.active, unit.sub);
    }
    if let Some(outside) = &status.outside {
        let _ = writeln!(text, "  network outside: {outside}");
    }
    let _ = writeln!(text, "  data: {}", status.data.display());
}
