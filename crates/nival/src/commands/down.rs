//! `nival down`

use crate::context::Context;
use crate::diagnostics;
use crate::error::Error;
use clap::Args;
use nival_diagnostics::Diagnostic;
use serde_json::json;
use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;

/// What can be typed behind `nival down`.
#[derive(Args)]
pub struct Arguments {
    /// Which machines; all that run where none is named
    machines: Vec<String>,
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
    let running = |name: &String| machines.is_running(name);
    let names = if arguments.machines.is_empty() {
        machines.names().into_iter().filter(running).collect()
    } else {
        arguments.machines.clone()
    };
    for name in &names {
        machines.known(name)?;
    }
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
