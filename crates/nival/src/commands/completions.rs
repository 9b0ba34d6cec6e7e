//! `nival completions`

use crate::error::Error;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use std::process::ExitCode;

/// What can be typed behind `nival completions`.
#[derive(Args)]
pub struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script that makes a shell complete `nival`.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    crate::late::all_at_once();
    let mut command = crate::arguments::Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "nival", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}
