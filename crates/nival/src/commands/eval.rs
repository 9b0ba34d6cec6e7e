//! `nival eval`

use crate::commands::realise::versions;
use crate::context::{Context, absolute, current_folder};
use crate::error::Error;
use clap::Args;
use nival_engine::Project;
use nival_inputs::Lock;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival eval`.
#[derive(Args)]
pub struct Arguments {
    /// A file, or with `--option` a configuration
    #[arg(required_unless_present = "expr")]
    path: Option<PathBuf>,
    /// Evaluate this expression; `lib` is at hand
    #[arg(short = 'E', long, value_name = "EXPRESSION", conflicts_with_all = ["path", "option"])]
    expr: Option<String>,
    /// Print the value of an option of the configuration, such as networking.hostName
    #[arg(long, value_name = "OPTION")]
    option: Option<String>,
    /// Which machine, where the configuration has several
    #[arg(long, value_name = "NAME")]
    machine: Option<String>,
}

/// Evaluates and prints.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let json = context.output.is_json();
    let mut session = context.session()?;
    let shown = match (&arguments.expr, &arguments.path, &arguments.option) {
        (Some(text), _, _) => session.eval_text(text, &current_folder(), json),
        (None, Some(path), Some(option)) => Project::find(path).and_then(|project| {
            let machines = session.machines(&project)?;
            let known: Vec<String> = machines.iter().map(|machine| machine.name().to_owned()).collect();
            let wanted = arguments.machine.as_ref();
            let found = machines.iter().find(|machine| wanted.is_none_or(|name| name == machine.name()));
            let unknown =
                || nival_engine::Error::UnknownMachine { name: wanted.cloned().unwrap_or_default(), known };
            let found = found.ok_or_else(unknown)?;
            // Some values depend on what is locked; without a lock they say so.
            if let Some(lock) = Lock::read(&project.lock_file())? {
                found.set_locked(versions(found.name(), &lock));
            }
            found.option(&mut session, option, json)
        }),
        (None, Some(path), None) => session.eval_file(&absolute(path.clone()).to_string_lossy(), json),
        (None, None, _) => Ok(String::new()),
    };
    context.show_messages(&session);
    let text = shown.map_err(|error| context.failed(&session, &error))?;
    // With `--json` the text is JSON already.
    context.output.result(&text, || serde_json::from_str(&text).unwrap_or(serde_json::Value::Null));
    Ok(ExitCode::SUCCESS)
}
