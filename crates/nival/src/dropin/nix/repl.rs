//! `nix repl`

use super::target::Target;
use crate::commands::evaluation::file_expression;
use crate::context::{Context, current_folder};
use crate::dropin::VERSION;
use crate::error::Error;
use crate::repl::{self, Options, Style};
use clap::Args;
use nival_engine::{Expression, Session};
use nival_eval::Value;
use std::process::ExitCode;

/// What can be typed behind `nix repl`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    pub(super) target: Target,
}

/// Reads expressions, and prints their values.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let mut evaluation = arguments.target.evaluation.clone();
    evaluation.impure |= !evaluation.pure_eval;
    let named = !arguments.target.installables.installables.is_empty();
    let values = |context: &Context, session: &mut Session| values(context, session, arguments);
    let options = Options {
        evaluation: &evaluation,
        building: &arguments.target.building,
        flakes: if named { arguments.target.installables.flakes() } else { Vec::new() },
        values: &values,
    };
    let greeting = Some(format!("Nix {VERSION}\nType :? for help."));
    repl::run(context, options, &Style { prompt: "nix-repl> ", greeting })?;
    Ok(ExitCode::SUCCESS)
}

fn values(
    context: &Context,
    session: &mut Session,
    arguments: &Arguments,
) -> Result<Vec<(Value, String)>, nival_engine::Error> {
    let installables = &arguments.target.installables;
    let automatic = arguments.target.evaluation.automatic(session)?;
    let root = match (&installables.file, &installables.expr) {
        (Some(file), _) => Some(session.evaluate(&file_expression(file))?),
        (None, Some(text)) => Some(session.evaluate(&Expression::Text(text.clone(), current_folder()))?),
        (None, None) => None,
    };
    let mut all = Vec::new();
    for word in &installables.installables {
        let value = match root {
            Some(root) => session.select(root, word.trim_start_matches('.'), &automatic)?,
            None => repl::flake_value(context, session, word)?,
        };
        all.push((value, word.clone()));
    }
    if let (true, Some(root)) = (all.is_empty(), root) {
        all.push((root, String::new()));
    }
    Ok(all)
}
