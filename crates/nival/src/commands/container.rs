//! `nival container`

use crate::commands::alone;
use crate::commands::realise::{Realised, Source, realise_opened};
use crate::commands::up::{self, How};
use crate::context::Context;
use crate::error::Error;
use clap::Args;
use nival_os::manifest::Start;
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival container`.
#[derive(Args)]
pub struct Arguments {
    /// The configuration: a file or folder
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Which machine, where the configuration has several
    #[arg(long, value_name = "NAME")]
    machine: Option<String>,
    /// Which instance of a service, such as nginx or redis-cache, where the machine has several
    #[arg(long, value_name = "INSTANCE")]
    service: Option<String>,
    /// What the container is called, for `nival down`, `nival shell` and the like; without it MACHINE-INSTANCE
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    source: Source,
}

/// Runs one service of a machine alone, without systemd: as its image would.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let names: Vec<String> = arguments.machine.iter().cloned().collect();
    let (mut opened, realised) = realise_opened(context, &arguments.path, &names, &arguments.source)?;
    let Some(machine) = realised.into_iter().next() else { return Ok(ExitCode::FAILURE) };
    let (service, start) = alone::choose(context, &mut opened, &machine.key, arguments.service.as_deref())?;
    let name = arguments.name.clone().unwrap_or_else(|| format!("{}-{service}", machine.name));
    let alone = container(machine, name, &service, &start);
    up::start(context, &opened.project, &[alone], &arguments.how, false)
}

/// The machine with nothing in it but one service.
fn container(machine: Realised, name: String, service: &str, start: &Start) -> Realised {
    let mut manifest = machine.manifest;
    let units = [Json::from(format!("{service}.service")), Json::from(start.unit.as_str())];
    for kind in ["checks", "ports"] {
        if let Some(all) = manifest[kind].as_array_mut() {
            all.retain(|item| units.contains(&item["unit"]));
        }
    }
    manifest["preflight"] = json!([]);
    manifest["name"] = json!(name);
    manifest["alone"] = serde_json::to_value(start).unwrap_or_default();
    Realised { name, key: machine.key, manifest }
}
