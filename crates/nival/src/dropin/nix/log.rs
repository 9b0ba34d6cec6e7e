//! `nix log`

use crate::commands::evaluation::Evaluation;
use crate::commands::installables::Installables;
use crate::commands::log::{other_store, print_log, print_log_of};
use crate::context::Context;
use crate::dropin::Common;
use crate::error::Error;
use clap::Args;
use std::process::ExitCode;

/// What can be typed behind `nix log`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    installables: Installables,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Prints logs.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let settings = arguments.evaluation.settings().map_err(|error| Error::plain(error.diagnostic()))?;
    if let Some(store) = other_store(context, &settings)? {
        for word in &arguments.installables.installables {
            print_log_of(context, &*store, word)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut session = arguments.evaluation.session(context, false, &arguments.installables.flakes())?;
    let found = arguments.installables.requests(context, &mut session, &arguments.evaluation);
    context.show_messages(&session);
    let requests = found.map_err(|error| context.failed(&session, &error))?;
    for request in &requests {
        print_log(context, request, &settings)?;
    }
    Ok(ExitCode::SUCCESS)
}
