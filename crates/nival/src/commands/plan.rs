//! `nival plan`

use crate::commands::realise::{Source, realise};
use crate::context::Context;
use crate::error::Error;
use crate::memory;
use clap::Args;
use nival_os::Manifest;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival plan`.
#[derive(Args)]
pub struct Arguments {
    /// The configuration (a file or folder), or the name of a machine that was started with `up`
    #[arg(default_value = ".")]
    target: PathBuf,
    /// Which machines of the configuration; all of them where none is named
    machines: Vec<String>,
    #[command(flatten)]
    source: Source,
}

/// Shows what `switch` would do; changes nothing.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let machines = context.machines();
    let (path, mut names) = memory::target(&machines, &arguments.target)?;
    names.extend(arguments.machines.iter().cloned());
    let (_, realised) = realise(context, &path, &names, &arguments.source)?;
    let (mut texts, mut all) = (Vec::new(), Vec::new());
    for machine in &realised {
        let manifest = Manifest::from_json(&serde_json::to_vec(&machine.manifest).unwrap_or_default())?;
        let plan = machines.plan(&machine.name, &manifest)?;
        texts.push(if realised.len() > 1 {
            format!("{}:\n{}", machine.name, plan.text())
        } else {
            plan.text()
        });
        all.push(json!({ "machine": machine.name, "plan": plan }));
    }
    context.output.result(&texts.join("\n"), || all.into());
    Ok(ExitCode::SUCCESS)
}
