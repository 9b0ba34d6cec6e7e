//! `nival down`

use crate::commands::named;
use crate::context::Context;
use crate::diagnostics;
use crate::error::Error;
use clap::{Args, ValueHint};
use nival_diagnostics::Diagnostic;
use nival_os::Machines;
use serde_json::json;
use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;

/// What can be typed behind `nival down`.
#[derive(Args)]
pub struct Arguments {
    /// Which machines: names, or configurations (files or folders) that they were started from; those of the current folder
    /// where none is named
    #[arg(value_hint = ValueHint::AnyPath)]
    machines: Vec<String>,
    /// All machines that run
    #[arg(long, conflicts_with_all = ["machines", "delete_data"])]
    all: bool,
    /// Delete the machines' data and generations too; asks first
    #[arg(long, requires = "machines")]
    delete_data: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Stops machines; with `--delete-data` nothing of them is left.
pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let machines = context.machines();
    let names = meant(&machines, arguments)?;
    if arguments.delete_data && !arguments.yes {
        ask(&names)?;
    }
    let mut lines = Vec::new();
    for name in &names {
        if machines.is_running(name) {
            machines.down(name)?;
            lines.push(format!("{name}: down"));
        } else if !arguments.delete_data {
            lines.push(format!("{name}: was not running"));
        }
        if arguments.delete_data {
            machines.delete(name)?;
            lines.push(format!("{name}: data deleted"));
        }
    }
    machines.sweep();
    if names.is_empty() {
        lines.push("no machine runs".to_owned());
    }
    context.output.result(&lines.join("\n"), || json!({ "down": names, "deleted": arguments.delete_data }));
    Ok(ExitCode::SUCCESS)
}

/// The machines that are to be stopped.
fn meant(machines: &Machines, arguments: &Arguments) -> Result<Vec<String>, Error> {
    if !arguments.machines.is_empty() {
        return named::all(machines, &arguments.machines);
    }
    let mut running = machines.names();
    running.retain(|name| machines.is_running(name));
    if arguments.all || running.is_empty() {
        return Ok(running);
    }
    if let Some(Ok(mut here)) = named::started_from(machines, ".") {
        here.retain(|name| running.contains(name));
        if !here.is_empty() {
            return Ok(here);
        }
    }
    let message = "no machine that runs belongs to the current folder";
    let diagnostic = Diagnostic::error(&diagnostics::usage::ENTRY, message);
    let help = format!("name one of {}, or say `--all`", named::quoted(&running));
    Err(Error::plain(diagnostic.help(help)))
}

fn ask(names: &[String]) -> Result<(), Error> {
    eprint!(
        "Delete the data and all generations of {}? This cannot be undone. Type `yes`: ",
        names.join(", ")
    );
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && answer.trim() == "yes" {
        return Ok(());
    }
    let diagnostic =
        Diagnostic::error(&diagnostics::refused::ENTRY, "nothing was deleted: the answer was not `yes`");
    Err(Error::plain(diagnostic.help("answer `yes`, or say `--yes`")))
}
