//! `nival eval`

use crate::commands::evaluation::{Evaluation, Target};
use crate::commands::realise::versions;
use crate::context::{Context, current_folder};
use crate::error::Error;
use clap::Args;
use nival_engine::{Format, Project, Session};
use nival_eval::Value;
use nival_inputs::Lock;
use std::process::ExitCode;

/// What can be typed behind `nival eval`.
#[derive(Args)]
pub struct Arguments {
    /// A file, a folder, a flake such as .#name or github:owner/name, or with `--config` a configuration
    #[arg(required_unless_present = "expr")]
    target: Option<String>,
    /// Evaluate this expression; `lib` is at hand
    #[arg(short = 'E', long, value_name = "EXPRESSION", conflicts_with_all = ["target", "config"])]
    expr: Option<String>,
    /// Select what this path leads to, such as packages.hello or list.0
    #[arg(short = 'A', long = "attr", value_name = "PATH", conflicts_with = "config")]
    attribute: Option<String>,
    /// Apply this function to the value
    #[arg(long, value_name = "FUNCTION")]
    apply: Option<String>,
    /// Print a string's characters, without quotes
    #[arg(long, conflicts_with_all = ["xml", "json"])]
    raw: bool,
    /// Print XML
    #[arg(long, conflicts_with = "json")]
    xml: bool,
    /// Compute store paths only, and write nothing to the store
    #[arg(long, alias = "readonly-mode")]
    read_only: bool,
    /// Print the value of an option of the configuration, such as networking.hostName
    #[arg(long, value_name = "OPTION")]
    config: Option<String>,
    /// Which machine, where the configuration has several
    #[arg(long, value_name = "NAME", requires = "config")]
    machine: Option<String>,
    #[command(flatten)]
    evaluation: Evaluation,
}

/// Evaluates and prints.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let json = context.output.is_json();
    let target = arguments.target.as_deref().filter(|_| arguments.config.is_none()).map(Target::parse);
    let flakes = Target::flakes(target.as_slice());
    let mut session = arguments.evaluation.session(context, arguments.read_only, &flakes)?;
    if arguments.config.is_none() && flakes.is_empty() {
        session.collect_values();
    }
    let format = match (json, arguments.raw, arguments.xml) {
        (true, ..) => Format::Json,
        (_, true, _) => Format::Raw,
        (.., true) => Format::Xml { strict: true, places: false },
        _ => Format::Shown,
    };
    let shown = context.evaluating(&mut session, |context, session| {
        let value = value(context, session, arguments, target.as_ref())?;
        session.print(value, format)
    });
    context.show_messages(&session);
    context.show_profile()?;
    let text = shown.map_err(|error| context.failed(&session, &error))?;
    context.output.text(&text, format != Format::Raw);
    Ok(ExitCode::SUCCESS)
}

fn value(
    context: &Context,
    session: &mut Session,
    arguments: &Arguments,
    target: Option<&Target>,
) -> Result<Value, nival_engine::Error> {
    let base = current_folder();
    let automatic = arguments.evaluation.automatic(session)?;
    let mut value = match (&arguments.expr, &arguments.config, target) {
        (Some(text), ..) => session.evaluate_with_library(text, &base)?,
        (None, Some(option), _) => {
            let path = arguments.target.as_deref().unwrap_or(".");
            option_of(session, arguments, std::path::Path::new(path), option)?
        }
        (None, None, Some(target)) => target.evaluate(context, session, &automatic)?,
        (None, None, None) => Target::parse(".").evaluate(context, session, &automatic)?,
    };
    if let Some(path) = &arguments.attribute {
        value = session.select(value, path, &automatic)?;
    }
    if !automatic.is_empty() {
        value = session.call_automatically(value, &automatic)?;
    }
    match &arguments.apply {
        Some(function) => session.apply(function, &base, value),
        None => Ok(value),
    }
}

/// The value of an option of one machine of a configuration.
fn option_of(
    session: &mut Session,
    arguments: &Arguments,
    path: &std::path::Path,
    option: &str,
) -> Result<Value, nival_engine::Error> {
    let project = Project::find(path)?;
    let machines = session.machines(&project)?;
    let known: Vec<String> = machines.iter().map(|machine| machine.name().to_owned()).collect();
    let wanted = arguments.machine.as_ref();
    let found = machines.iter().find(|machine| wanted.is_none_or(|name| name == machine.name()));
    let unknown = || nival_engine::Error::UnknownMachine { name: wanted.cloned().unwrap_or_default(), known };
    let found = found.ok_or_else(unknown)?;
    // Some values depend on what is locked; without a lock they say so.
    if let Some(lock) = Lock::read(&project.lock_file())? {
        found.set_locked(versions(found.name(), &lock));
    }
    found.option(session, option)
}
