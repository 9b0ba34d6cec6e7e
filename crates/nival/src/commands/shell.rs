//! `nival shell`

use crate::context::Context;
use crate::error::Error;
use clap::Args;
use nival_os::manifest::Content;
use nival_os::{Machines, Program};
use std::io::IsTerminal as _;
use std::process::ExitCode;

/// What can be typed behind `nival shell`.
#[derive(Args)]
pub struct Arguments {
    /// The machine
    machine: String,
    /// As which user of the machine
    #[arg(long, short, value_name = "USER", default_value = "root")]
    user: String,
    /// The command with its arguments; without one, the user's shell
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Runs a command in a machine; its exit code is this program's.
pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let machines = context.machines();
    machines.known(&arguments.machine)?;
    let environment =
        if arguments.user == "root" { root_environment(&machines, &arguments.machine) } else { Vec::new() };
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let program =
        Program { command: arguments.command.clone(), user: arguments.user.clone(), terminal, environment };
    let code = machines.exec(&arguments.machine, &program)?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// The variables that `environment.rootVariables` gives to the machine's root.
fn root_environment(machines: &Machines, name: &str) -> Vec<(String, String)> {
    let Ok(folder) = machines.known(name) else { return Vec::new() };
    let state = folder.state();
    let Some(manifest) = state.current().and_then(|number| state.manifest(number).ok()) else {
        return Vec::new();
    };
    let file = manifest.root.files.get("/etc/nival/root-environment");
    let Some(Content::Text(text)) = file.map(|file| &file.content) else { return Vec::new() };
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
