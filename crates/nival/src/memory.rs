//! What is remembered of machines beside their data: where their configuration lies, and which ports they had.

use crate::commands::realise::Realised;
use crate::diagnostics;
use crate::error::{Error, unwritable};
use nival_diagnostics::Diagnostic;
use nival_engine::Project;
use nival_os::{Machines, Publish};
use nival_sys::fs;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};

fn file(machines: &Machines, name: &str, what: &str) -> PathBuf {
    machines.config().data.join("machines").join(name).join(what)
}

fn read(path: &Path) -> Option<Json> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

fn write(path: &Path, value: &Json) -> Result<(), Error> {
    let written = fs::write_atomic(path, format!("{value}\n").as_bytes(), 0o644);
    written.map_err(|error| Error::plain(unwritable(path, &error)))
}

/// Remembers which project each machine comes from.
pub fn remember(machines: &Machines, project: &Project, realised: &[Realised]) -> Result<(), Error> {
    for machine in realised {
        let path = file(machines, &machine.name, "source.json");
        if path.parent().is_some_and(Path::is_dir) {
            write(&path, &json!({ "path": project.file, "machine": machine.key }))?;
        }
    }
    Ok(())
}

/// The configuration file that a machine was started from, and its name there.
pub fn source(machines: &Machines, name: &str) -> Option<(PathBuf, String)> {
    let value = read(&file(machines, name, "source.json"))?;
    Some((PathBuf::from(value["path"].as_str()?), value["machine"].as_str()?.to_owned()))
}

/// Refuses a machine whose name belongs to another project.
pub fn check_owner(machines: &Machines, project: &Project, realised: &[Realised]) -> Result<(), Error> {
    for machine in realised {
        let Some((other, _)) = source(machines, &machine.name) else { continue };
        if other != project.file && other.exists() {
            let message = format!(
                "the machine `{}` belongs to another configuration: `{}`",
                machine.name,
                other.display()
            );
            return Err(Error::plain(
                Diagnostic::error(&diagnostics::other_project::ENTRY, message)
                    .help("give this one another name: `networking.hostName = \"...\";`")
                    .help(format!("or delete the other one: nival down --delete-data {}", machine.name)),
            ));
        }
    }
    Ok(())
}

/// The ports that a machine had published when it was last up.
pub fn published(machines: &Machines, name: &str) -> Vec<Publish> {
    read(&file(machines, name, "published.json"))
        .and_then(|value| serde_json::from_value(value).ok())
        .unwrap_or_default()
}

/// Remembers a machine's published ports.
pub fn set_published(machines: &Machines, name: &str, ports: &[Publish]) -> Result<(), Error> {
    let path = file(machines, name, "published.json");
    if published(machines, name) == ports {
        return Ok(());
    }
    write(&path, &serde_json::to_value(ports).unwrap_or_default())
}

/// The path and machine names that a word of the command line stands for: a path that exists, else a machine's name.
pub fn target(machines: &Machines, word: &Path) -> Result<(PathBuf, Vec<String>), Error> {
    let is_name = word.components().count() == 1 && !word.as_os_str().to_string_lossy().starts_with('.');
    let name = word.to_string_lossy();
    if is_name && let Some((path, machine)) = source(machines, &name) {
        return Ok((path, vec![machine]));
    }
    if word.exists() {
        return Ok((word.to_owned(), Vec::new()));
    }
    let message = format!("`{name}` is neither a path nor a machine that was started with `up`");
    let known: Vec<_> = machines.names().iter().map(|name| format!("`{name}`")).collect();
    let diagnostic = Diagnostic::error(&diagnostics::no_source::ENTRY, message);
    Err(Error::plain(if known.is_empty() {
        diagnostic.help("name the path of the configuration")
    } else {
        diagnostic.help(format!("name the path of the configuration, or one of {}", known.join(", ")))
    }))
}
