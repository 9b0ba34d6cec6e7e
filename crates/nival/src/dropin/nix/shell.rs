//! `nix shell`, also as `nix env shell`

use crate::building::Building;
use crate::commands::evaluation::Evaluation;
use crate::commands::installables::Installables;
use crate::commands::shell::with_outputs;
use crate::commands::wanted::Surroundings;
use crate::context::Context;
use crate::dropin::Common;
use crate::error::Error;
use clap::Args;
use std::process::ExitCode;

/// What can be typed behind `nix shell`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    installables: Installables,
    /// Run this program with its arguments instead of a shell
    #[arg(short = 'c', long = "command", num_args = 1.., allow_hyphen_values = true, value_name = "COMMAND")]
    command: Vec<String>,
    #[command(flatten)]
    surroundings: Surroundings,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    building: Building,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Runs a program, or the user's shell, with packages at hand.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let (made, code) = arguments.installables.build(context, &arguments.evaluation, &arguments.building)?;
    if code != ExitCode::SUCCESS {
        return Ok(code);
    }
    let outputs = made.into_iter().flat_map(|(_, outputs)| outputs.into_values()).collect();
    Err(with_outputs(context, outputs, &arguments.surroundings, &arguments.command))
}
