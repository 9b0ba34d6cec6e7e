//! `nival status`

use crate::commands::named;
use crate::context::Context;
use crate::error::Error;
use crate::output::Output;
use clap::{Args, ValueHint};
use nival_os::{Ended, Status};
use nival_sys::clock::{local_time, now};
use std::fmt::Write as _;
use std::process::ExitCode;

/// What can be typed behind `nival status`.
#[derive(Args)]
pub struct Arguments {
    /// Which machines: names, or configurations (files or folders) that they were started from; all of them where none is
    /// named
    #[arg(value_hint = ValueHint::AnyPath)]
    machines: Vec<String>,
}

/// Lists machines and, for those that are named, their units. The exit code is 1 where a named machine is not well.
pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let machines = context.machines();
    let is_named = !arguments.machines.is_empty();
    let names = if is_named { named::all(&machines, &arguments.machines)? } else { machines.names() };
    let mut all = Vec::new();
    for name in &names {
        all.push(machines.status(name)?);
    }
    let mut text = String::new();
    if all.is_empty() {
        text.push_str("no machines yet: `nival up --detach PATH` starts one");
    }
    let width = all.iter().map(|status| status.name.len()).max().unwrap_or(0);
    for status in &all {
        describe(&mut text, status, width, is_named, &context.output);
    }
    context.output.result(&text, || serde_json::to_value(&all).unwrap_or_default());
    let well = |status: &Status| {
        status.phase == "running" && status.units.iter().all(|unit| unit.active != "failed")
    };
    Ok(if is_named && !all.iter().all(well) { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Why a machine ended that nobody asked to, with the code of the reason.
pub fn ended_text(ended: &Ended) -> String {
    format!(
        "ended at {} by itself: {} [{}]",
        local_time(ended.at),
        ended.error,
        ended.error.diagnostic().entry.code
    )
}

fn describe(text: &mut String, status: &Status, width: usize, units: bool, output: &Output) {
    let failed = status.units.iter().filter(|unit| unit.active == "failed").count();
    let color = |code: &str, words: &str| {
        if output.is_colored() { format!("\x1b[{code}m{words}\x1b[0m") } else { words.to_owned() }
    };
    let state = match failed {
        0 => format!("{:8}", status.phase),
        1 => format!("{}, 1 unit failed", status.phase),
        _ => format!("{}, {failed} units failed", status.phase),
    };
    let code = match status.phase.as_str() {
        _ if failed > 0 || status.ended.is_some() => "31",
        "running" => "32",
        _ => "2",
    };
    let generation = status
        .generation
        .map_or_else(|| "no generation".to_owned(), |number| format!("generation {number:<3}"));
    let since = status.since.filter(|since| *since > 0).map(|since| age(now().saturating_sub(since)));
    let since = since.unwrap_or_default();
    let ports: Vec<String> =
        status.ports.iter().map(|port| format!("{}:{} -> {}", port.address, port.host, port.guest)).collect();
    let line = format!(
        "{:width$}  {}  {generation}  {since:8}  {}",
        status.name,
        color(code, &state),
        ports.join(", ")
    );
    let _ = writeln!(text, "{}", line.trim_end());
    if let Some(ended) = &status.ended {
        let _ = writeln!(text, "  {}", ended_text(ended));
    }
    if units {
        describe_inside(text, status, &color);
    }
}

fn describe_inside(text: &mut String, status: &Status, color: &impl Fn(&str, &str) -> String) {
    let width = status.units.iter().map(|unit| unit.name.len()).max().unwrap_or(0);
    for unit in &status.units {
        let mark = match unit.active.as_str() {
            "active" => color("32", "●"),
            "failed" => color("31", "✗"),
            _ => "○".to_owned(),
        };
        let _ = writeln!(text, "  {mark} {:width$}  {} ({})", unit.name, unit.active, unit.sub);
    }
    if let Some(outside) = &status.outside {
        let _ = writeln!(text, "  network outside: {outside}");
    }
    let _ = writeln!(text, "  data: {}", status.data.display());
}

/// A time span in its largest unit.
fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
