//! `nival build`

use crate::commands::realise::{Source, realise};
use crate::context::Context;
use crate::error::Error;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival build`.
#[derive(Args)]
pub struct Arguments {
    /// The configuration: a file or folder
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Which machines; all of them where none is named
    machines: Vec<String>,
    #[command(flatten)]
    source: Source,
}

/// Brings everything into the store that the machines consist of.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let (_, machines) = realise(context, &arguments.path, &arguments.machines, &arguments.source)?;
    let count = |manifest: &serde_json::Value, field: &str| {
        let value = &manifest[field];
        value.as_array().map(Vec::len).or_else(|| value.as_object().map(serde_json::Map::len)).unwrap_or(0)
    };
    let lines: Vec<String> = machines
        .iter()
        .map(|machine| {
            let all = |field| count(&machine.manifest, field);
            format!(
                "{}: {} packages, {} units, {} files, {} further roots",
                machine.name,
                all("packages"),
                all("units"),
                all("files"),
                all("roots")
            )
        })
        .collect();
    context.output.result(&lines.join("\n"), || {
        machines.iter().map(|machine| json!({ "name": machine.name, "manifest": machine.manifest })).collect()
    });
    Ok(ExitCode::SUCCESS)
}
