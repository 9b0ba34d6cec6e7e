//! `nix config`

use crate::commands::evaluation::Evaluation;
use crate::context::Context;
use crate::dropin::Common;
use crate::error::Error;
use clap::{Args, Subcommand};
use serde_json::json;
use std::process::ExitCode;

/// What can be typed behind `nix config`.
#[derive(Subcommand)]
pub enum Command {
    /// Show settings that are set
    Show(Show),
}

/// What can be typed behind `nix config show`.
#[derive(Args)]
pub struct Show {
    /// One setting, whose value alone is printed
    name: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    common: Common,
}

impl Command {
    pub(super) fn common(&self) -> Common {
        let Self::Show(show) = self;
        show.common.clone()
    }
}

/// Prints settings.
pub fn run(context: &mut Context, command: &Command) -> Result<ExitCode, Error> {
    let Command::Show(show) = command;
    let settings = show.evaluation.settings().map_err(|error| Error::plain(error.diagnostic()))?;
    let all = settings.with_defaults();
    if let Some(name) = &show.name {
        let Some(value) = all.get(name) else {
            let error = nival_engine::NixSettings::unknown(name);
            return Err(Error::plain(error));
        };
        context.output.text(value, true);
        return Ok(ExitCode::SUCCESS);
    }
    if show.json {
        let values = all.iter().map(|(name, value)| (name.clone(), json!({ "value": value })));
        context.output.text(&serde_json::Value::Object(values.collect()).to_string(), true);
        return Ok(ExitCode::SUCCESS);
    }
    for (name, value) in &all {
        context.output.text(&format!("{name} = {value}"), true);
    }
    Ok(ExitCode::SUCCESS)
}
