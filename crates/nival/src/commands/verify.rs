//! `nival verify`

use crate::context::Context;
use crate::error::Error;
use clap::Args;
use nival_store::Corruption;
use serde_json::json;
use std::process::ExitCode;

/// What can be typed behind `nival verify`.
#[derive(Args)]
pub struct Arguments {
    /// Look only whether each path is there, without reading it
    #[arg(long)]
    quick: bool,
}

/// Compares the store with its database.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let store = context.store()?;
    let found = store.verify(!arguments.quick)?;
    let checked = store.all()?.len();
    let lines: Vec<String> = found
        .iter()
        .map(|corruption| match corruption {
            Corruption::Missing(path) => format!("missing   {path}"),
            Corruption::Modified { path, wanted, got } => {
                format!("modified  {path}: wanted {}, got {}", wanted.sri(), got.sri())
            }
            Corruption::Link { name, got } => format!("modified  .links/{name}: got {got}"),
            Corruption::Unreadable(path, error) => format!("broken    {path}: {error}"),
            Corruption::Database(text) => format!("database  {text}"),
        })
        .collect();
    let summary = format!("{checked} paths, {} of them not as they should be", found.len());
    let text = if lines.is_empty() { summary } else { format!("{}\n{summary}", lines.join("\n")) };
    context.output.result(&text, || json!({ "paths": checked, "problems": lines }));
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
