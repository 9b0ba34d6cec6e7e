//! `nix derivation`

mod description;

use crate::commands::evaluation::Evaluation;
use crate::commands::installables::Installables;
use crate::context::Context;
use crate::dropin::Common;
use crate::dropin::words::usage;
use crate::error::Error;
use clap::{Args, Subcommand};
use nival_build::Request;
use nival_store_model::StorePath;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::ExitCode;

/// What can be typed behind `nix derivation`.
#[derive(Subcommand)]
pub enum Command {
    /// Show derivations as JSON
    Show(Box<Show>),
    /// Add a derivation that is read as JSON from standard input, and print its path
    Add(Add),
}

/// What can be typed behind `nix derivation add`.
#[derive(Args)]
pub struct Add {
    /// Only compute the path
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    settings: crate::stores::SettingArguments,
    #[command(flatten)]
    common: Common,
}

/// What can be typed behind `nix derivation show`.
#[derive(Args)]
pub struct Show {
    #[command(flatten)]
    installables: Installables,
    /// Show all that they need as well
    #[arg(short = 'r', long)]
    recursive: bool,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    common: Common,
}

impl Command {
    pub(super) fn common(&self) -> Common {
        match self {
            Self::Show(show) => show.common.clone(),
            Self::Add(add) => add.common.clone(),
        }
    }
}

/// Prints or adds derivations.
pub fn run(context: &mut Context, command: &Command) -> Result<ExitCode, Error> {
    match command {
        Command::Show(arguments) => show(context, arguments),
        Command::Add(arguments) => add(context, arguments),
    }
}

/// Adds what standard input describes.
fn add(context: &mut Context, arguments: &Add) -> Result<ExitCode, Error> {
    arguments.settings.read()?;
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(crate::stores::unreadable("standard input"))?;
    let store = context.store()?;
    let json = serde_json::from_str(&text).map_err(|error| usage(&format!("this is no JSON: {error}")))?;
    let mut derivation = description::read(&json, store.dir()).map_err(|why| usage(&why))?;
    derivation.fill_outputs(store.dir(), |input| store.modulo(input))?;
    store.check_derivation(&derivation)?;
    let path = match arguments.dry_run {
        true => derivation.path(store.dir()).map_err(nival_store::Error::from)?,
        false => store.add_derivation(&derivation)?,
    };
    context.output.text(&store.dir().print(&path), true);
    Ok(ExitCode::SUCCESS)
}

fn show(context: &mut Context, show: &Show) -> Result<ExitCode, Error> {
    let mut session = show.evaluation.session(context, false, &show.installables.flakes())?;
    let found = show.installables.requests(context, &mut session, &show.evaluation);
    context.show_messages(&session);
    let requests = found.map_err(|error| context.failed(&session, &error))?;
    let store = context.store()?;
    let mut todo = Vec::new();
    for request in requests {
        match request {
            Request::Outputs(drv, _) => todo.push(drv),
            Request::Path(path) => {
                let deriver = store.info(&path)?.and_then(|info| info.deriver);
                todo.extend(deriver);
            }
        }
    }
    let mut all: BTreeMap<StorePath, Value> = BTreeMap::new();
    while let Some(drv) = todo.pop() {
        if all.contains_key(&drv) {
            continue;
        }
        let derivation = store.read_derivation(&drv)?;
        if show.recursive {
            todo.extend(derivation.input_derivations.keys().cloned());
        }
        all.insert(drv, description::write(&derivation, store.dir())?);
    }
    let named: Map<String, Value> =
        all.into_iter().map(|(drv, value)| (drv.base_name().to_owned(), value)).collect();
    let text =
        serde_json::to_string_pretty(&json!({ "derivations": named, "version": 4 })).unwrap_or_default();
    context.output.text(&text, true);
    Ok(ExitCode::SUCCESS)
}
