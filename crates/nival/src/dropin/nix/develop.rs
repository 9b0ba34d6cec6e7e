//! `nix develop` and `nix print-dev-env`

use super::target::Target;
use crate::building;
use crate::commands::develop::{Found, Work, only_derivation, read, search, show, start};
use crate::commands::installables::Named;
use crate::context::Context;
use crate::dropin::words::usage;
use crate::error::Error;
use clap::Args;
use nival_build::Request;
use std::process::ExitCode;

/// What can be typed behind `nix develop`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    pub(super) target: Target,
    #[command(flatten)]
    work: Work,
}

/// What can be typed behind `nix print-dev-env`.
#[derive(Args)]
pub struct Print {
    #[command(flatten)]
    pub(super) target: Target,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Starts a shell or a program in the environment of a derivation.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    match find(context, &arguments.target)? {
        Ok(found) => Err(start(context, &found, &arguments.work)),
        Err(code) => Ok(code),
    }
}

/// Prints the environment of a derivation.
pub fn print(context: &mut Context, arguments: &Print) -> Result<ExitCode, Error> {
    match find(context, &arguments.target)? {
        Ok(found) => show(context, &found, arguments.json),
        Err(code) => Ok(code),
    }
}

fn find(context: &mut Context, target: &Target) -> Result<Result<Found, ExitCode>, Error> {
    let Target { installables, evaluation, building, .. } = target;
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
