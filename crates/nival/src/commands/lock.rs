//! `nival lock`

use crate::commands::realise::{Source, lock_path};
use crate::commands::update::{describe, difference_json};
use crate::context::Context;
use crate::error::Error;
use clap::Args;
use nival_inputs::{Mode, difference};
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival lock`.
#[derive(Args)]
pub struct Arguments {
    /// The configuration: a file or folder
    #[arg(default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    source: Source,
}

/// Locks what is asked for and not locked yet; what is locked stays.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let (file, old, new, _) = lock_path(context, &arguments.path, &arguments.source, &Mode::Keep)?;
    let changes = difference(&old, &new);
    let text = if changes.changes.is_empty() {
        format!("{} is up to date with the configuration", file.display())
    } else {
        describe(&changes)
    };
    context.output.result(&text, || difference_json(&changes));
    Ok(ExitCode::SUCCESS)
}
