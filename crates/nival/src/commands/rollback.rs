//! `nival rollback`

use crate::commands::switch::{describe, show};
use crate::context::Context;
use crate::error::Error;
use clap::Args;
use serde_json::json;
use std::process::ExitCode;

/// What can be typed behind `nival rollback`.
#[derive(Args)]
pub struct Arguments {
    /// The machine
    machine: String,
    /// The generation; without one, that before the current one
    generation: Option<u64>,
}

/// Changes a machine back to an earlier generation; data stays as it is.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let machines = context.machines();
    let output = context.output;
    let switched = context.phase("switch", |_| {
        Ok(machines.rollback(&arguments.machine, arguments.generation, &mut |event| show(&output, event))?)
    })?;
    let text = describe(&arguments.machine, &switched);
    context.output.result(&text, || json!({ "machine": arguments.machine, "switched": switched }));
    Ok(ExitCode::SUCCESS)
}
