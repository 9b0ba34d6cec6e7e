//! `nival update`

use crate::commands::realise::{Source, lock_path, realise};
use crate::context::Context;
use crate::error::Error;
use clap::Args;
use nival_inputs::{ChangeKind, Difference, Mode, difference};
use nival_os::Manifest;
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival update`.
#[derive(Args)]
pub struct Arguments {
    /// Packages to update; all of them where none is named
    packages: Vec<String>,
    /// The configuration: a file or folder
    #[arg(long, short = 'C', value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Only packages that have a security update
    #[arg(long, conflicts_with = "packages")]
    security: bool,
    #[command(flatten)]
    source: Source,
}

/// Chooses newer versions, writes the lock, and shows what changes.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let mode = match (arguments.security, arguments.packages.as_slice()) {
        (true, _) => Mode::UpdateSecurity,
        (false, []) => Mode::UpdateAll,
        (false, names) => Mode::UpdateNames(names.to_vec()),
    };
    let (_, old, new, opened) = lock_path(context, &arguments.path, &arguments.source, &mode)?;
    let changes = difference(&old, &new);
    let text =
        if changes.changes.is_empty() { "everything is up to date".to_owned() } else { describe(&changes) };
    context.output.result(&text, || difference_json(&changes));
    let machines = opened.iter().flat_map(|opened| &opened.machines);
    let started = machines.into_iter().any(|machine| context.machines().known(machine.name()).is_ok());
    drop(opened);
    if !changes.changes.is_empty() && started {
        show_restarts(context, arguments)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what a switch to the new versions would do to machines that were started once; brings the packages for it.
fn show_restarts(context: &mut Context, arguments: &Arguments) -> Result<(), Error> {
    let machines = context.machines();
    let (_, realised) = realise(context, &arguments.path, &[], &arguments.source)?;
    for machine in realised.iter().filter(|machine| machines.known(&machine.name).is_ok()) {
        let manifest = Manifest::from_json(&serde_json::to_vec(&machine.manifest).unwrap_or_default())?;
        let plan = machines.plan(&machine.name, &manifest)?;
        context.output.say(&format!(
            "\n{}: `nival switch {}` would\n{}",
            machine.name,
            machine.name,
            plan.text()
        ));
    }
    Ok(())
}

/// A line for each change.
pub fn describe(difference: &Difference) -> String {
    let width = difference.changes.iter().map(|change| change.name.len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for change in &difference.changes {
        let what = match &change.kind {
            ChangeKind::Added(new) => format!("+ {:width$}  {new}", change.name),
            ChangeKind::Removed(old) => format!("- {:width$}  {old}", change.name),
            ChangeKind::Upgraded { old, new } => format!("^ {:width$}  {old} -> {new}", change.name),
            ChangeKind::Replaced { old, new } => format!("v {:width$}  {old} -> {new}", change.name),
        };
        let security = if change.security { "  (security)" } else { "" };
        lines.push(format!("{what}{security}"));
    }
    lines.join("\n")
}

/// The changes as JSON.
pub fn difference_json(difference: &Difference) -> Json {
    let one = |change: &nival_inputs::Change| {
        let (kind, old, new) = match &change.kind {
            ChangeKind::Added(new) => ("added", None, Some(new)),
            ChangeKind::Removed(old) => ("removed", Some(old), None),
            ChangeKind::Upgraded { old, new } => ("upgraded", Some(old), Some(new)),
            ChangeKind::Replaced { old, new } => ("replaced", Some(old), Some(new)),
        };
        json!({
            "release": change.release, "package": change.name, "kind": kind,
            "old": old, "new": new, "security": change.security, "roots": change.roots,
        })
    };
    difference.changes.iter().map(one).collect()
}
