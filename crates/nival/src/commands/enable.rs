//! `nival enable` and `nival disable`

use crate::commands::named::OneMachine;
use crate::context::Context;
use crate::diagnostics;
use crate::error::Error;
use crate::memory;
use clap::Args;
use nival_diagnostics::Diagnostic;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival enable`.
#[derive(Args)]
pub struct EnableArguments {
    #[command(flatten)]
    machine: OneMachine,
}

/// What can be typed behind `nival disable`.
#[derive(Args)]
pub struct DisableArguments {
    #[command(flatten)]
    machine: OneMachine,
}

/// Writes a unit of the host's systemd that starts the machine when the host starts.
pub fn enable(context: &Context, arguments: &EnableArguments) -> Result<ExitCode, Error> {
    let machines = context.machines();
    let name = arguments.machine.name(&machines)?;
    let Some((path, key)) = memory::source(&machines, &name) else {
        let message = format!("it is not known which configuration `{name}` comes from");
        let diagnostic = Diagnostic::error(&diagnostics::no_source::ENTRY, message);
        return Err(Error::plain(diagnostic.help("start it once with `nival up --detach PATH`")));
    };
    let command: Vec<String> = [
        "--data-dir".to_owned(),
        context.data.display().to_string(),
        "up".to_owned(),
        "--hold".to_owned(),
        path.display().to_string(),
        key,
    ]
    .into();
    let program = std::env::current_exe().unwrap_or_else(|_| "nival".into());
    let written = machines.enable(&name, &unit_folder(), &program, &command)?;
    let text = format!("{name}: starts with this host; wrote {}\n\n{}", written.path.display(), written.text);
    context.output.result(&text, || json!({ "machine": name, "unit": written }));
    Ok(ExitCode::SUCCESS)
}

/// Removes the unit again.
pub fn disable(context: &Context, arguments: &DisableArguments) -> Result<ExitCode, Error> {
    let machines = context.machines();
    let name = arguments.machine.name(&machines)?;
    let written = machines.disable(&name, &unit_folder())?;
    let text = format!("{name}: no longer starts with this host; removed {}", written.path.display());
    context.output.result(&text, || json!({ "machine": name, "unit": written }));
    Ok(ExitCode::SUCCESS)
}

/// Where the host's systemd looks for units of this user.
fn unit_folder() -> PathBuf {
    if nival_sys::process::user_id() == 0 {
        return PathBuf::from("/etc/systemd/system");
    }
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/".into())).join(".config");
    let folder = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    folder.unwrap_or_else(home).join("systemd/user")
}
