//! `nival logs`

use crate::commands::named::OneMachine;
use crate::commands::status::ended_text;
use crate::context::Context;
use crate::error::Error;
use clap::Args;
use nival_os::Ended;
use std::process::ExitCode;

/// What can be typed behind `nival logs`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    machine: OneMachine,
    /// Only this unit
    #[arg(long, short, value_name = "UNIT")]
    unit: Vec<String>,
    /// Go on with what comes
    #[arg(long, short)]
    follow: bool,
    /// Only the last lines
    #[arg(long, short = 'n', value_name = "COUNT")]
    lines: Option<u64>,
    /// Further arguments of journalctl
    #[arg(last = true, value_name = "ARGUMENTS")]
    journalctl: Vec<String>,
}

/// Shows the journal of a machine, also of one that is down.
pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let mut words: Vec<String> = arguments.unit.iter().map(|unit| format!("--unit={unit}")).collect();
    if arguments.follow {
        words.push("--follow".to_owned());
    }
    words.extend(arguments.lines.map(|count| format!("--lines={count}")));
    if context.output.is_json() {
        words.push("--output=json".to_owned());
    }
    if !arguments.follow {
        words.push("--no-pager".to_owned());
    }
    words.extend(arguments.journalctl.iter().cloned());
    let machines = context.machines();
    let name = arguments.machine.name(&machines)?;
    let code = machines.logs(&name, &words)?;
    let folder = machines.known(&name)?;
    if let Some(ended) = Ended::read(&folder).filter(|_| !machines.is_running(&name)) {
        context.output.say(&format!("{name}: {}", ended_text(&ended)));
    }
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}
