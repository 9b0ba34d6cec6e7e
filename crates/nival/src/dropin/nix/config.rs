//! `nix config`

use crate::commands::evaluation::Evaluation;
use crate::context::Context;
use crate::dropin::Common;
use crate::error::Error;
use crate::stores::SettingArguments;
use clap::{Args, Subcommand};
use serde_json::json;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What can be typed behind `nix config`.
#[derive(Subcommand)]
pub enum Command {
    /// Show settings that are set
    Show(Show),
    /// Look at this installation and the store, and say what could be a problem
    Check(Check),
}

/// What can be typed behind `nix config check`.
#[derive(Args)]
pub struct Check {
    #[command(flatten)]
    settings: SettingArguments,
    #[command(flatten)]
    common: Common,
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
        match self {
            Self::Show(show) => show.common.clone(),
            Self::Check(check) => check.common.clone(),
        }
    }
}

/// Prints settings, or looks for problems.
pub fn run(context: &mut Context, command: &Command) -> Result<ExitCode, Error> {
    match command {
        Command::Show(show) => self::show(context, show),
        Command::Check(check) => self::check(context, check),
    }
}

/// Looks at what often goes wrong; the code is 2 where something is.
fn check(context: &mut Context, arguments: &Check) -> Result<ExitCode, Error> {
    let stores = context.stores(&arguments.settings)?;
    let store = &stores.store;
    let url = store.url();
    context.output.say(&format!("Running checks against store uri: {url}"));
    let mut is_fine = true;
    // A store on another machine says nothing of this one's programs.
    if !url.contains("://") {
        let places = programs(std::env::var_os("PATH").unwrap_or_default());
        is_fine = places.len() == 1;
        match places.as_slice() {
            [] => context.output.say("[FAIL] No nix-env found in PATH."),
            [_] => context.output.say("[PASS] PATH contains only one nix version."),
            all => {
                let list: Vec<String> = all.iter().map(|place| format!("  {}", place.display())).collect();
                context
                    .output
                    .say(&format!("[FAIL] Multiple versions of nix found in PATH:\n{}", list.join("\n")));
            }
        }
    }
    context.output.say(&match store.trusts_client() {
        Some(true) => format!("[INFO] You are trusted by store uri: {url}"),
        Some(false) => format!("[INFO] You are not trusted by store uri: {url}"),
        None => format!("[INFO] Store uri: {url} doesn't have a notion of trusted user"),
    });
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// The folders that really hold a `nix-env` of the path.
fn programs(path: OsString) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::env::split_paths(&path)
        .filter_map(|folder| folder.join("nix-env").canonicalize().ok()?.parent().map(Path::to_owned))
        .collect();
    found.sort();
    found.dedup();
    found
}

fn show(context: &mut Context, show: &Show) -> Result<ExitCode, Error> {
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
