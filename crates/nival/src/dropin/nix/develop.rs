//! `nix develop` and `nix print-dev-env`

use crate::building::{self, Building};
use crate::commands::develop::{Found, Work, only_derivation, read, search, show, start};
use crate::commands::evaluation::Evaluation;
use crate::commands::installables::{Installables, Named};
use crate::context::Context;
use crate::dropin::Common;
use crate::dropin::words::usage;
use crate::error::Error;
use clap::Args;
use nival_build::Request;
use std::process::ExitCode;

/// What can be typed behind `nix develop`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    installables: Installables,
    #[command(flatten)]
    work: Work,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    building: Building,
    #[command(flatten)]
    pub(super) common: Common,
}

/// What can be typed behind `nix print-dev-env`.
#[derive(Args)]
pub struct Print {
    #[command(flatten)]
    installables: Installables,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    building: Building,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Starts a shell or a program in the environment of a derivation.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    match find(context, &arguments.installables, &arguments.evaluation, &arguments.building)? {
        Ok(found) => Err(start(context, &found, &arguments.work)),
        Err(code) => Ok(code),
    }
}

/// Prints the environment of a derivation.
pub fn print(context: &mut Context, arguments: &Print) -> Result<ExitCode, Error> {
    match find(context, &arguments.installables, &arguments.evaluation, &arguments.building)? {
        Ok(found) => show(context, &found, arguments.json),
        Err(code) => Ok(code),
    }
}

fn find(
    context: &mut Context,
    installables: &Installables,
    evaluation: &Evaluation,
    building: &Building,
) -> Result<Result<Found, ExitCode>, Error> {
    let (mut session, progress) = building::session(context, evaluation, building, &installables.flakes())?;
    let shells = search(session.system());
    let drv = context.evaluating(&mut session, |context, session| {
        let automatic = evaluation.automatic(session)?;
        match installables.named_in(context, session, &automatic, &shells)?.into_iter().next() {
            Some(Named::Value(value, _)) => Ok(Some(only_derivation(session, value, evaluation)?)),
            Some(Named::Stored(Request::Outputs(drv, _))) => Ok(Some(drv)),
            _ => Ok(None),
        }
    });
    context.show_messages(&session);
    let drv = drv.map_err(|error| context.failed(&session, &error))?;
    let Some(drv) = drv else { return Err(usage("name a derivation, whose environment is meant")) };
    read(context, &session, &progress, &drv, building)
}
