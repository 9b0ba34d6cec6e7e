//! `nix eval`

use super::installables::{Installables, Named};
use crate::commands::evaluation::Evaluation;
use crate::context::{Context, current_folder};
use crate::dropin::Common;
use crate::error::Error;
use clap::Args;
use nival_build::Request;
use nival_engine::{Format, Session};
use std::process::ExitCode;

/// What can be typed behind `nix eval`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    installables: Installables,
    /// Print a string's characters, without quotes
    #[arg(long, conflicts_with = "json")]
    raw: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print JSON over several lines
    #[arg(long, requires = "json")]
    pretty: bool,
    /// Apply this function to the value
    #[arg(long, value_name = "FUNCTION")]
    apply: Option<String>,
    /// Compute store paths only, and write nothing to the store
    #[arg(long)]
    read_only: bool,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Evaluates and prints.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let mut evaluation = arguments.evaluation.clone();
    // This program evaluates purely unless it is told otherwise, and files by their name can be read all the same.
    evaluation.pure_eval |= !evaluation.impure && arguments.installables.expr.is_some();
    let flake = arguments.installables.is_flake();
    let mut session = evaluation.session(context, arguments.read_only, flake)?;
    let format = match (arguments.json, arguments.raw) {
        (true, _) => Format::Json,
        (_, true) => Format::Raw,
        _ => Format::Shown,
    };
    let text = text(context, &mut session, arguments, format);
    context.show_messages(&session);
    let mut text = text.map_err(|error| context.failed(&session, &error))?;
    if arguments.pretty
        && let Ok(value) = serde_json::from_str::<serde_json::Value>(&text)
        && let Ok(pretty) = serde_json::to_string_pretty(&value)
    {
        text = pretty;
    }
    context.output.text(&text, format != Format::Raw);
    Ok(ExitCode::SUCCESS)
}

fn text(
    context: &Context,
    session: &mut Session,
    arguments: &Arguments,
    format: Format,
) -> Result<String, nival_engine::Error> {
    let automatic = arguments.evaluation.automatic(session)?;
    let named = arguments.installables.named(context, session, &automatic)?.into_iter().next();
    let value = match named {
        Some(Named::Value(value, _)) => value,
        Some(Named::Stored(Request::Path(path) | Request::Outputs(path, _))) => {
            let text = format!("builtins.storePath {}", session.printed(&path));
            session.evaluate(&nival_engine::Expression::Text(text, current_folder()))?
        }
        None => return Ok(String::new()),
    };
    let value = if automatic.is_empty() { value } else { session.call_automatically(value, &automatic)? };
    let value = match &arguments.apply {
        Some(function) => session.apply(function, &current_folder(), value)?,
        None => value,
    };
    session.print(value, format)
}
