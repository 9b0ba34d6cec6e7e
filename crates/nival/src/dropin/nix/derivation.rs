//! `nix derivation`

use super::installables::Installables;
use crate::commands::evaluation::Evaluation;
use crate::context::Context;
use crate::dropin::Common;
use crate::error::Error;
use clap::{Args, Subcommand};
use nival_build::Request;
use nival_store_model::{Derivation, OutputKind, StoreDir, StorePath};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

/// What can be typed behind `nix derivation`.
#[derive(Subcommand)]
pub enum Command {
    /// Show derivations as JSON
    Show(Show),
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
        let Self::Show(show) = self;
        show.common.clone()
    }
}

/// Prints derivations.
pub fn run(context: &mut Context, command: &Command) -> Result<ExitCode, Error> {
    let Command::Show(show) = command;
    let mut session = show.evaluation.session(context, false, show.installables.is_flake())?;
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
        all.insert(drv, described(&derivation, store.dir())?);
    }
    let named: Map<String, Value> =
        all.into_iter().map(|(drv, value)| (drv.base_name().to_owned(), value)).collect();
    let text =
        serde_json::to_string_pretty(&json!({ "derivations": named, "version": 4 })).unwrap_or_default();
    context.output.text(&text, true);
    Ok(ExitCode::SUCCESS)
}

/// A derivation in the form of JSON that Nix's version 4 has.
fn described(derivation: &Derivation, dir: &StoreDir) -> Result<Value, Error> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut outputs = Map::new();
    for (name, output) in &derivation.outputs {
        let path = output.path(dir, &derivation.name, name).map_err(nival_store::Error::from)?;
        let method = |method: nival_store_model::ContentMethod| match method {
            nival_store_model::ContentMethod::Flat => "flat",
            nival_store_model::ContentMethod::Recursive => "nar",
            nival_store_model::ContentMethod::Text => "text",
            nival_store_model::ContentMethod::Git => "git",
        };
        outputs.insert(
            name.clone(),
            match &output.kind {
                OutputKind::InputAddressed(_) => {
                    json!({ "path": path.map(|path| path.base_name().to_owned()) })
                }
                OutputKind::Fixed { method: how, hash } => {
                    json!({ "hash": hash.sri(), "method": method(*how) })
                }
                OutputKind::Floating { method: how, algorithm } => {
                    json!({ "hashAlgo": algorithm.name(), "method": method(*how) })
                }
                OutputKind::Deferred => json!({}),
                OutputKind::Impure { method: how, algorithm } => {
                    json!({ "hashAlgo": algorithm.name(), "impure": true, "method": method(*how) })
                }
            },
        );
    }
    let drvs: BTreeMap<&str, Value> = derivation
        .input_derivations
        .iter()
        .map(|(drv, outputs)| (drv.base_name(), json!({ "dynamicOutputs": {}, "outputs": outputs })))
        .collect();
    let sources: BTreeSet<&str> = derivation.input_sources.iter().map(StorePath::base_name).collect();
    let mut environment: BTreeMap<String, String> =
        derivation.environment.iter().map(|(name, value)| (text(name), text(value))).collect();
    let structured = environment.remove("__json").and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let mut all = Map::new();
    all.insert("args".to_owned(), json!(derivation.arguments.iter().map(|a| text(a)).collect::<Vec<_>>()));
    all.insert("builder".to_owned(), json!(text(&derivation.builder)));
    all.insert("env".to_owned(), json!(environment));
    all.insert("inputs".to_owned(), json!({ "drvs": drvs, "srcs": sources }));
    all.insert("name".to_owned(), json!(derivation.name));
    all.insert("outputs".to_owned(), Value::Object(outputs));
    if let Some(structured) = structured {
        all.insert("structuredAttrs".to_owned(), structured);
    }
    all.insert("system".to_owned(), json!(text(&derivation.system)));
    all.insert("version".to_owned(), json!(4));
    Ok(Value::Object(all))
}
