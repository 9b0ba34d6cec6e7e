//! `nival switch`

use crate::commands::secrets::Secrets;
use crate::commands::target::Target;
use crate::context::Context;
use crate::error::Error;
use crate::output::Output;
use clap::Args;
use nival_os::{SwitchEvent, Switched};
use serde_json::json;
use std::process::ExitCode;

/// What can be typed behind `nival switch`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    secrets: Secrets,
}

/// Changes running machines to their configuration.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let machines = context.machines();
    let wanted = arguments.target.manifests(context, &machines)?;
    let manifests: Vec<_> = wanted.iter().map(|(_, manifest)| manifest).collect();
    arguments.secrets.give(&machines, &manifests)?;
    let (mut texts, mut all) = (Vec::new(), Vec::new());
    for (name, manifest) in &wanted {
        let output = context.output;
        let switched = context
            .phase("switch", |_| Ok(machines.switch(name, manifest, &mut |event| show(&output, event))?))?;
        arguments.secrets.show_anew(&machines, name)?;
        texts.push(describe(name, &switched));
        all.push(json!({ "machine": name, "switched": switched }));
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
