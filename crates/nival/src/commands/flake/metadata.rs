//! `nival flake metadata`

use super::{LockArguments, locked, reference, typed, with_session};
use crate::commands::evaluation::Evaluation;
use crate::context::Context;
use crate::error::Error;
use crate::output::date_time;
use clap::Args;
use nival_engine::{FlakeReference, LockedFlake};
use nival_inputs::flakes::{Edge, LockFile, NodeId};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::ExitCode;

/// What can be typed behind `nival flake metadata`.
#[derive(Args)]
pub struct Arguments {
    /// The flake; that of the current folder where none is named
    flake: Option<String>,
    #[command(flatten)]
    lock: LockArguments,
    #[command(flatten)]
    evaluation: Evaluation,
}

/// Shows where a flake is, and its inputs.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let mut session = arguments.evaluation.session(context, false, &typed(arguments.flake.as_deref()))?;
    let flake = with_session(context, &mut session, |context, session| {
        let (reference, _) = reference(session, arguments.flake.as_deref())?;
        let flags = arguments.lock.flags(session)?;
        locked(context, session, &reference, &flags)
    })?;
    context.output.result(&text(&flake), || as_json(&flake));
    Ok(ExitCode::SUCCESS)
}

fn number(reference: &FlakeReference, name: &str) -> Option<u64> {
    reference.input.attributes.int(name).ok().flatten()
}

fn word<'r>(reference: &'r FlakeReference, name: &str) -> Option<&'r str> {
    reference.input.attributes.text(name).ok().flatten()
}

fn modified(reference: &FlakeReference) -> Option<String> {
    let seconds = number(reference, "lastModified")?;
    Some(date_time(i64::try_from(seconds).unwrap_or(i64::MAX)))
}

fn text(flake: &LockedFlake) -> String {
    let mut lines = Vec::new();
    let mut line = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            lines.push(format!("{:14} {value}", format!("{name}:")));
        }
    };
    line("Resolved URL", Some(&flake.resolved.to_string()));
    line("Locked URL", Some(&flake.locked.to_string()));
    line("Description", flake.flake.description.as_deref());
    line("Path", Some(&flake.folder));
    line("Revision", word(&flake.locked, "rev"));
    line("Dirty revision", word(&flake.locked, "dirtyRev"));
    line("Revisions", number(&flake.locked, "revCount").map(|count| count.to_string()).as_deref());
    line("Last modified", modified(&flake.locked).as_deref());
    let mut text = lines.join("\n");
    text.push('\n');
    if !flake.lock_file.nodes[0].inputs.is_empty() {
        text.push_str("Inputs:\n");
        inputs(&flake.lock_file, 0, "", &mut BTreeSet::new(), &mut text);
    }
    text
}

/// The inputs of a node as a tree; what was shown before is not shown again.
fn inputs(file: &LockFile, node: NodeId, padding: &str, seen: &mut BTreeSet<NodeId>, text: &mut String) {
    let count = file.nodes[node].inputs.len();
    for (at, (name, edge)) in file.nodes[node].inputs.iter().enumerate() {
        let (branch, rest) =
            if at + 1 == count { ("└───", "    ") } else { ("├───", "│   ") };
        match edge {
            Edge::Follows(way) => {
                let _ = writeln!(text, "{padding}{branch}{name} follows input '{}'", way.join("/"));
            }
            Edge::Node(next) => {
                let locked = file.nodes[*next].locked.as_ref();
                let place = locked.map(|locked| locked.locked.to_string()).unwrap_or_default();
                let date = locked.and_then(|locked| modified(&locked.locked));
                let date = date.map(|date| format!(" ({date})")).unwrap_or_default();
                let _ = writeln!(text, "{padding}{branch}{name}: {place}{date}");
                if seen.insert(*next) {
                    inputs(file, *next, &format!("{padding}{rest}"), seen, text);
                }
            }
        }
    }
}

fn as_json(flake: &LockedFlake) -> Value {
    let mut all = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            all.insert(name.to_owned(), value);
        }
    };
    set("description", flake.flake.description.as_ref().map(|text| json!(text)));
    set("lastModified", number(&flake.locked, "lastModified").map(Value::from));
    let mut locked = flake.locked.attributes();
    locked.remove("__final");
    set("locked", Some(locked.json()));
    set("locks", Some(flake.lock_file.json().0));
    set("original", Some(flake.original.attributes().json()));
    set("originalUrl", Some(json!(flake.original.to_string())));
    set("path", Some(json!(flake.folder)));
    set("resolved", Some(flake.resolved.attributes().json()));
    set("resolvedUrl", Some(json!(flake.resolved.to_string())));
    set("revCount", number(&flake.locked, "revCount").map(Value::from));
    set("revision", word(&flake.locked, "rev").map(Value::from));
    set("dirtyRevision", word(&flake.locked, "dirtyRev").map(Value::from));
    set("url", Some(json!(flake.locked.to_string())));
    Value::Object(all)
}
