//! `nix shell`, also as `nix env shell`

use super::target::Target;
use crate::commands::shell::with_outputs;
use crate::commands::wanted::Surroundings;
use crate::context::Context;
use crate::error::Error;
use clap::Args;
use std::process::ExitCode;

/// What can be typed behind `nix shell`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    pub(super) target: Target,
    /// Run this program with its arguments instead of a shell
    #[arg(short = 'c', long = "command", num_args = 1.., allow_hyphen_values = true, value_name = "COMMAND")]
    command: Vec<String>,
    #[command(flatten)]
    surroundings: Surroundings,
}

/// Runs a program, or the user's shell, with packages at hand.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let (made, code) = arguments.target.installables.build(
        context,
        &arguments.target.evaluation,
        &arguments.target.building,
    )?;
    if code != ExitCode::SUCCESS {
        return Ok(code);
    }
    let outputs = made.into_iter().flat_map(|(_, outputs)| outputs.into_values()).collect();
    Err(with_outputs(context, outputs, &arguments.surroundings, &arguments.command))
}
