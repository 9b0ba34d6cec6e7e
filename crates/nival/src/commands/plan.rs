//! `nival plan`

use crate::commands::target::Target;
use crate::context::Context;
use crate::error::Error;
use clap::Args;
use serde_json::json;
use std::process::ExitCode;

/// What can be typed behind `nival plan`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    target: Target,
}

/// Shows what `switch` would do; changes nothing.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let machines = context.machines();
    let wanted = arguments.target.manifests(context, &machines)?;
    let (mut texts, mut all) = (Vec::new(), Vec::new());
    for (name, manifest) in &wanted {
        let plan = machines.plan(name, manifest)?;
        texts.push(if wanted.len() > 1 { format!("{name}:\n{}", plan.text()) } else { plan.text() });
        all.push(json!({ "machine": name, "plan": plan }));
    }
    context.output.result(&texts.join("\n"), || all.into());
    Ok(ExitCode::SUCCESS)
}
