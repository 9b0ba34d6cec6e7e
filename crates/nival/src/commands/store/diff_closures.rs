//! `nival store diff-closures`

use crate::context::Context;
use crate::error::Error;
use crate::output::bytes;
use crate::stores::SettingArguments;
use clap::Args;
use nival_store::stores::{self, Store};
use nival_store_model::StorePath;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

/// What can be typed behind `nival store diff-closures`.
#[derive(Args)]
pub struct Arguments {
    /// The path before
    before: String,
    /// The path after
    after: String,
    #[command(flatten)]
    settings: SettingArguments,
}

/// Shows what differs.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let stores = context.stores(&arguments.settings)?;
    let (before, after) = (stores.path(&arguments.before)?.0, stores.path(&arguments.after)?.0);
    let changes = changes(&*stores.store, &before, &after)?;
    if context.output.is_json() {
        let all: Vec<_> = changes.iter().map(Change::as_json).collect();
        context.output.result("", || all.into());
    } else if !changes.is_empty() {
        let lines: Vec<_> = changes.iter().map(|change| change.line(context.output.is_colored())).collect();
        context.output.text(&lines.join("\n"), true);
    }
    Ok(ExitCode::SUCCESS)
}

/// How one package differs.
pub struct Change {
    name: String,
    removed: BTreeSet<String>,
    added: BTreeSet<String>,
    growth: i64,
}

/// Versions of each package with their sizes.
type Grouped = BTreeMap<String, BTreeMap<String, u64>>;

/// How the packages of two paths with all that they refer to differ.
pub fn changes(store: &dyn Store, before: &StorePath, after: &StorePath) -> Result<Vec<Change>, Error> {
    let (before, after) = (grouped(store, before)?, grouped(store, after)?);
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let none = BTreeMap::new();
    let mut changes = Vec::new();
    for name in names {
        let (old, new) = (before.get(name).unwrap_or(&none), after.get(name).unwrap_or(&none));
        let size = |versions: &BTreeMap<String, u64>| versions.values().sum::<u64>().cast_signed();
        let missing_in = |these: &BTreeMap<String, u64>, those: &BTreeMap<String, u64>| {
            these.keys().filter(|version| !those.contains_key(*version)).cloned().collect::<BTreeSet<_>>()
        };
        let change = Change {
            name: name.clone(),
            removed: missing_in(old, new),
            added: missing_in(new, old),
            growth: size(new) - size(old),
        };
        if change.growth.abs() >= 8 * 1024 || !change.removed.is_empty() || !change.added.is_empty() {
            changes.push(change);
        }
    }
    Ok(changes)
}

fn grouped(store: &dyn Store, path: &StorePath) -> Result<Grouped, Error> {
    let mut grouped = Grouped::new();
    for info in stores::closure(store, std::slice::from_ref(path))?.values() {
        let (name, version) = name_and_version(without_output(info.path.name()));
        *grouped.entry(name).or_default().entry(version).or_default() += info.nar_size;
    }
    Ok(grouped)
}

/// A name without what may be an output's name at its end; nothing tells `bin` from a version like `unstable`.
fn without_output(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((rest, output))
            if output == "lib32"
                || output == "lib64"
                || !output.is_empty() && output.bytes().all(|b| b.is_ascii_lowercase()) =>
        {
            rest
        }
        _ => name,
    }
}

/// A derivation's name split at the first dash that no letter follows.
pub fn name_and_version(name: &str) -> (String, String) {
    let at = name.match_indices('-').map(|(at, _)| at);
    let mut at =
        at.filter(|at| name[at + 1..].bytes().next().is_some_and(|next| !next.is_ascii_alphabetic()));
    match at.next() {
        Some(at) => (name[..at].to_owned(), name[at + 1..].to_owned()),
        None => (name.to_owned(), String::new()),
    }
}

impl Change {
    fn as_json(&self) -> serde_json::Value {
        json!({ "name": self.name, "removed": self.removed, "added": self.added, "growth": self.growth })
    }

    /// One line for people.
    pub fn line(&self, colored: bool) -> String {
        let mut items = Vec::new();
        if !self.removed.is_empty() || !self.added.is_empty() {
            items.push(format!("{} → {}", versions(&self.removed), versions(&self.added)));
        }
        if self.growth.abs() >= 8 * 1024 {
            let sign = if self.growth > 0 { "+" } else { "-" };
            let text = format!("{sign}{}", bytes(self.growth.unsigned_abs()));
            let color = if self.growth > 0 { "31" } else { "32" };
            items.push(if colored { format!("\x1b[{color}m{text}\x1b[0m") } else { text });
        }
        format!("{}: {}", self.name, items.join(", "))
    }
}

fn versions(all: &BTreeSet<String>) -> String {
    if all.is_empty() {
        return "∅".to_owned();
    }
    let shown = |version: &String| if version.is_empty() { "ε".to_owned() } else { version.clone() };
    all.iter().map(shown).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_from_versions() {
        let split = |name: &str| name_and_version(without_output(name));
        let pair = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(split("hello-2.12-doc"), pair("hello", "2.12"));
        assert_eq!(split("gcc-wrapper-13.2.0"), pair("gcc-wrapper", "13.2.0"));
        assert_eq!(split("glibc-2.38-lib64"), pair("glibc", "2.38"));
        assert_eq!(split("source"), pair("source", ""));
    }
}
