//! `nix eval`

use crate::commands::evaluation::Evaluation;
use crate::commands::installables::{Installables, Named};
use crate::context::{Context, current_folder};
use crate::diagnostics::in_the_way;
use crate::dropin::Common;
use crate::dropin::words::usage;
use crate::error::Error;
use clap::Args;
use nival_build::Request;
use nival_engine::{Format, Session};
use nival_eval::{Evaluator, Kind, Value};
use nival_sys::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
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
    /// Print JSON over several lines, as happens at a terminal
    #[arg(long, requires = "json")]
    pretty: bool,
    /// Print JSON on one line also at a terminal
    #[arg(long, conflicts_with = "pretty")]
    no_pretty: bool,
    /// Make files of strings and folders of sets here, instead of printing the value
    #[arg(long, value_name = "PATH", conflicts_with_all = ["json", "raw"])]
    write_to: Option<PathBuf>,
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
    if evaluation.pure_eval && arguments.installables.file.is_some() {
        return Err(usage("'--file' and '--pure-eval' are not compatible"));
    }
    let flakes = arguments.installables.flakes();
    let mut session = evaluation.session(context, arguments.read_only, &flakes)?;
    let format = match (arguments.json, arguments.raw) {
        (true, _) => Format::Json,
        (_, true) => Format::Raw,
        _ => Format::Shown,
    };
    if let Some(target) = &arguments.write_to {
        let done = value(context, &mut session, arguments);
        let done = done.and_then(|value| write_files(session.evaluator(), value, target));
        context.show_messages(&session);
        done.map_err(|error| context.failed(&session, &error))?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = value(context, &mut session, arguments).and_then(|value| session.print(value, format));
    context.show_messages(&session);
    let mut text = text.map_err(|error| context.failed(&session, &error))?;
    let is_pretty = arguments.pretty || std::io::stdout().is_terminal() && !arguments.no_pretty;
    if arguments.json
        && is_pretty
        && let Ok(value) = serde_json::from_str::<serde_json::Value>(&text)
        && let Ok(pretty) = serde_json::to_string_pretty(&value)
    {
        text = pretty;
    }
    context.output.text(&text, format != Format::Raw);
    Ok(ExitCode::SUCCESS)
}

/// Writes a string as a file, and a set as a folder of what it holds.
fn write_files(ev: &mut Evaluator, value: Value, target: &Path) -> Result<(), nival_engine::Error> {
    let unwritable = |error| nival_engine::Error::Io(target.to_owned(), error);
    if target.symlink_metadata().is_ok() {
        return Err(unwritable(std::io::Error::from(std::io::ErrorKind::AlreadyExists)));
    }
    match ev.kind(value)? {
        Kind::Attrs => {
            fs::create_dir_all(target).map_err(unwritable)?;
            for attribute in ev.attributes(value)? {
                let name = ev.name(attribute.name).to_owned();
                if matches!(name.as_str(), "" | "." | "..") || name.contains(['/', '\0']) {
                    let message = format!("`{name}` cannot be the name of a file");
                    return Err(nival_engine::Error::from(ev.throw(&in_the_way::ENTRY, message, None)));
                }
                write_files(ev, attribute.value, &target.join(name))?;
            }
            Ok(())
        }
        _ => {
            let text = ev.expect_string_context(value)?.0;
            fs::write_atomic(target, text.as_bytes(), 0o644).map_err(unwritable)
        }
    }
}

fn value(
    context: &Context,
    session: &mut Session,
    arguments: &Arguments,
) -> Result<Value, nival_engine::Error> {
    let automatic = arguments.evaluation.automatic(session)?;
    let named = arguments.installables.named(context, session, &automatic)?.into_iter().next();
    let value = match named {
        Some(Named::Value(value, _)) => value,
        Some(Named::Stored(Request::Path(path) | Request::Outputs(path, _))) => {
            let text = format!("builtins.storePath {}", session.printed(&path));
            session.evaluate(&nival_engine::Expression::Text(text, current_folder()))?
        }
        None => return Ok(session.evaluator().string("")),
    };
    let value = if automatic.is_empty() { value } else { session.call_automatically(value, &automatic)? };
    match &arguments.apply {
        Some(function) => session.apply(function, &current_folder(), value),
        None => Ok(value),
    }
}
