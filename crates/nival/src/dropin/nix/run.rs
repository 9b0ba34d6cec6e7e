//! `nix run`

use crate::building::{self, Building};
use crate::commands::evaluation::Evaluation;
use crate::commands::flake::LockArguments;
use crate::commands::installables::{Installables, Named};
use crate::commands::run::{Found, find, search};
use crate::commands::wanted::Surroundings;
use crate::context::Context;
use crate::dropin::Common;
use crate::dropin::words::usage;
use crate::error::Error;
use crate::inside::{self, Program};
use clap::Args;
use nival_build::Request;
use std::process::ExitCode;

/// What can be typed behind `nix run`.
#[derive(Args)]
pub struct Arguments {
    /// What is run, and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "INSTALLABLE [ARGUMENTS]")]
    words: Vec<String>,
    /// Take attributes of this file
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "expr")]
    file: Option<String>,
    /// Take attributes of this expression
    #[arg(long, value_name = "EXPRESSION")]
    expr: Option<String>,
    #[command(flatten)]
    lock: LockArguments,
    #[command(flatten)]
    surroundings: Surroundings,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    building: Building,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Builds a program and runs it.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    // The words behind `--` are the program's own, also where no installable stands before it.
    let (installables, rest) = match arguments.words.split_first() {
        Some((first, rest)) if first == "--" => (Vec::new(), rest.to_vec()),
        Some((first, rest)) => {
            (vec![first.clone()], rest.strip_prefix(&["--".to_owned()][..]).unwrap_or(rest).to_vec())
        }
        None => (Vec::new(), Vec::new()),
    };
    let installables = Installables {
        file: arguments.file.clone(),
        expr: arguments.expr.clone(),
        installables,
        lock: arguments.lock.clone(),
        stdin: false,
    };
    let flakes = installables.flakes();
    let (mut session, progress) =
        building::session(context, &arguments.evaluation, &arguments.building, &flakes)?;
    let apps = search(session.system());
    let found = context.evaluating(&mut session, |context, session| {
        let automatic = arguments.evaluation.automatic(session)?;
        match installables.named_in(context, session, &automatic, &apps)?.into_iter().next() {
            Some(Named::Value(value, _)) => find(session, value, &arguments.evaluation).map(Some),
            Some(Named::Stored(Request::Path(path))) => {
                let program = installables.installables.first().cloned().unwrap_or_default();
                Ok(Some(Found { program, requests: vec![Request::Path(path)] }))
            }
            _ => Ok(None),
        }
    });
    context.show_messages(&session);
    let found = found.map_err(|error| context.failed(&session, &error))?;
    let Some(found) = found else { return Err(usage("name a package, an app, or a program of the store")) };
    let (_, code) =
        building::build(context, session.builds(), &progress, &found.requests, &arguments.building)?;
    if code != ExitCode::SUCCESS {
        return Ok(ExitCode::FAILURE);
    }
    let program = Program {
        name: found.program.into(),
        arguments: rest.into_iter().map(Into::into).collect(),
        environment: arguments.surroundings.environment(),
    };
    Err(inside::run(context, &program))
}
