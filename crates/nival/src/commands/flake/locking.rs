//! `nival flake lock` and `nival flake update`

use super::{LockArguments, locked, reference, typed, with_session};
use crate::commands::evaluation::Evaluation;
use crate::context::Context;
use crate::error::Error;
use clap::Args;
use std::process::ExitCode;

/// What can be typed behind `nival flake lock`.
#[derive(Args)]
pub struct Lock {
    /// The flake; that of the current folder where none is named
    flake: Option<String>,
    #[command(flatten)]
    lock: LockArguments,
    #[command(flatten)]
    evaluation: Evaluation,
}

/// What can be typed behind `nival flake update`.
#[derive(Args)]
pub struct Update {
    /// The inputs that are meant; all where none is named
    inputs: Vec<String>,
    /// The flake; that of the current folder where none is named
    #[arg(long, value_name = "FLAKE")]
    flake: Option<String>,
    #[command(flatten)]
    lock: LockArguments,
    #[command(flatten)]
    evaluation: Evaluation,
}

/// Pins what is not pinned yet.
pub fn lock(context: &mut Context, arguments: &Lock) -> Result<ExitCode, Error> {
    let mut session = arguments.evaluation.session(context, false, &typed(arguments.flake.as_deref()))?;
    with_session(context, &mut session, |context, session| {
        let (reference, _) = reference(session, arguments.flake.as_deref())?;
        let mut flags = arguments.lock.flags(session)?;
        flags.fail_on_unlocked = true;
        locked(context, session, &reference, &flags)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Pins newer versions.
pub fn update(context: &mut Context, arguments: &Update) -> Result<ExitCode, Error> {
    let mut session = arguments.evaluation.session(context, false, &typed(arguments.flake.as_deref()))?;
    with_session(context, &mut session, |context, session| {
        let (reference, _) = reference(session, arguments.flake.as_deref())?;
        let mut flags = arguments.lock.flags(session)?;
        flags.fail_on_unlocked = true;
        flags.recreate |= arguments.inputs.is_empty();
        for input in &arguments.inputs {
            flags.updates.insert(nival_inputs::flakes::parse_input_path(input)?);
        }
        locked(context, session, &reference, &flags)
    })?;
    Ok(ExitCode::SUCCESS)
}
