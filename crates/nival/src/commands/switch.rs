//! `nival switch`

use crate::commands::realise::{Source, realise};
use crate::context::Context;
use crate::error::Error;
use crate::memory;
use crate::output::Output;
use clap::Args;
use nival_os::{Manifest, SwitchEvent, Switched};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival switch`.
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

/// Changes running machines to their configuration.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let machines = context.machines();
    let (path, mut names) = memory::target(&machines, &arguments.target)?;
    names.extend(arguments.machines.iter().cloned());
    let (_, realised) = realise(context, &path, &names, &arguments.source)?;
    let (mut texts, mut all) = (Vec::new(), Vec::new());
    for machine in &realised {
        let manifest = Manifest::from_json(&serde_json::to_vec(&machine.manifest).unwrap_or_default())?;
        let output = context.output;
        let switched = context.phase("switch", |_| {
            Ok(machines.switch(&machine.name, &manifest, &mut |event| show(&output, event))?)
        })?;
        texts.push(describe(&machine.name, &switched));
        all.push(json!({ "machine": machine.name, "switched": switched }));
    }
    context.output.result(&texts.join("\n"), || all.into());
    Ok(ExitCode::SUCCESS)
}

/// Prints a step of a switch as it happens.
pub fn show(output: &Output, event: &SwitchEvent) {
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    match event {
        SwitchEvent::Stage { stage, milliseconds } => {
            output.say(&format!("{milliseconds:6} ms  {}", word(serde_json::json!(stage))));
        }
        SwitchEvent::Unit { unit, action, milliseconds } => {
            output.say(&format!("{milliseconds:6} ms    {} {unit}", word(serde_json::json!(action))));
        }
        SwitchEvent::Trouble { reason } => {
            output.say(&format!("           {reason}: putting the old generation back"))
        }
        SwitchEvent::Finished => {}
    }
}

/// The last line of a switch.
pub fn describe(name: &str, switched: &Switched) -> String {
    if switched.from == switched.to {
        return format!("{name}: nothing to change, generation {}", switched.to);
    }
    format!("{name}: generation {} is now {}", switched.from, switched.to)
}
