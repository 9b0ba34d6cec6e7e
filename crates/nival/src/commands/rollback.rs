//! `nival rollback`

use crate::commands::named::OneMachine;
use crate::commands::switch::{describe, show};
use crate::context::Context;
use crate::error::Error;
use clap::Args;
use serde_json::json;
use std::process::ExitCode;

/// What can be typed behind `nival rollback`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    machine: OneMachine,
    /// The generation; without one, that before the current one
    generation: Option<u64>,
}

/// Changes a machine back to an earlier generation; data stays as it is.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let machines = context.machines();
    let (output, name) = (context.output, arguments.machine.name(&machines)?);
    let switched = context.phase("switch", |_| {
        Ok(machines.rollback(&name, arguments.generation, &mut |event| show(&output, event))?)
    })?;
    let text = describe(&name, &switched);
    context.output.result(&text, || json!({ "machine": name, "switched": switched }));
    Ok(ExitCode::SUCCESS)
}
