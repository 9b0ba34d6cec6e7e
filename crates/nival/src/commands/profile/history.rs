//! `nival profile history`, `diff-closures`, `rollback`, `wipe-history`

use super::{Place, manifest_at, refused};
use crate::commands::store::changes;
use crate::context::Context;
use crate::environment::{self, Element, Manifest};
use crate::error::Error;
use clap::Args;
use nival_store::{Generation, Profile};
use serde_json::json;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// What can be typed behind `nival profile rollback`.
#[derive(Args)]
pub struct Rollback {
    /// The number of the generation; the one before the current one where it is not given
    #[arg(long, value_name = "NUMBER")]
    to: Option<u64>,
    /// Say what would happen, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

/// What can be typed behind `nival profile wipe-history`.
#[derive(Args)]
pub struct WipeHistory {
    /// Only generations that are not the current one since so many days, such as 30d
    #[arg(long, value_name = "AGE", value_parser = days)]
    older_than: Option<i64>,
    /// Say what would happen, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

/// A number of days, as seconds.
pub fn days(text: &str) -> Result<i64, String> {
    let count = text.strip_suffix('d').and_then(|days| days.parse::<i64>().ok()).filter(|days| *days > 0);
    count.map(|days| days * 24 * 3600).ok_or_else(|| "an age is a number of days, such as 30d".to_owned())
}

/// Shows which packages came and went.
pub fn show(context: &mut Context, place: &Place) -> Result<ExitCode, Error> {
    let profile = place.profile(context)?;
    let generations = profile.generations()?;
    let (mut blocks, mut all) = (Vec::new(), Vec::new());
    let mut before: Option<(u64, Manifest)> = None;
    for generation in &generations.all {
        let manifest = manifest_at(context, &generation.link)?;
        let none = Manifest::default();
        let lines = differences(before.as_ref().map_or(&none, |(_, manifest)| manifest), &manifest);
        let date = crate::output::date(generation.created);
        let from = before.as_ref().map(|(number, _)| format!(" <- {number}")).unwrap_or_default();
        let mark = if Some(generation.number) == generations.current { " (current)" } else { "" };
        let shown: Vec<_> = if lines.is_empty() { vec!["No changes.".to_owned()] } else { lines.clone() };
        let shown: Vec<_> = shown.iter().map(|line| format!("  {line}")).collect();
        blocks.push(format!("Version {} ({date}){from}{mark}:\n{}", generation.number, shown.join("\n")));
        all.push(json!({
            "number": generation.number,
            "created": generation.created,
            "current": Some(generation.number) == generations.current,
            "changes": lines,
        }));
        before = Some((generation.number, manifest));
    }
    context.output.result(&blocks.join("\n\n"), || all.into());
    Ok(ExitCode::SUCCESS)
}

/// The lines that tell how two manifests differ.
fn differences(before: &Manifest, after: &Manifest) -> Vec<String> {
    let names: BTreeSet<_> = before.elements.keys().chain(after.elements.keys()).collect();
    let versions = |element: Option<&Element>| element.map_or_else(|| "∅".to_owned(), Element::versions);
    let mut lines = Vec::new();
    for name in names {
        let (old, new) = (before.elements.get(name), after.elements.get(name));
        let shown = new.or(old).map(Element::identifier).unwrap_or_default();
        let (old, new) = (versions(old), versions(new));
        if old != new {
            lines.push(format!("{shown}: {old} -> {new}"));
        }
    }
    lines
}

/// Shows how sizes and versions changed.
pub fn diff_closures(context: &mut Context, place: &Place) -> Result<ExitCode, Error> {
    let profile = place.profile(context)?;
    let generations = profile.generations()?;
    let store = context.store()?;
    let mut blocks = Vec::new();
    for pair in generations.all.windows(2) {
        let (Some(old), Some(new)) =
            (environment::target(context, &pair[0].link)?, environment::target(context, &pair[1].link)?)
        else {
            continue;
        };
        let mut lines = vec![format!("Version {} -> {}:", pair[0].number, pair[1].number)];
        for change in changes(&*store, &old, &new)? {
            lines.push(format!("  {}", change.line(context.output.is_colored())));
        }
        blocks.push(lines.join("\n"));
    }
    context.output.result(&blocks.join("\n\n"), || blocks.clone().into());
    Ok(ExitCode::SUCCESS)
}

/// Goes back to an earlier generation.
pub fn rollback(context: &mut Context, arguments: &Rollback) -> Result<ExitCode, Error> {
    let profile = arguments.place.profile(context)?;
    switch(context, &profile, arguments.to, arguments.dry_run)?;
    Ok(ExitCode::SUCCESS)
}

/// Lets a profile lead to another generation: that of a number, or the one before the current one.
pub fn switch(context: &mut Context, profile: &Profile, to: Option<u64>, dry_run: bool) -> Result<(), Error> {
    let _lock = profile.lock()?;
    let generations = profile.generations()?;
    let found = match to {
        Some(number) => generations.find(number),
        None => generations.previous(),
    };
    let Some(found) = found else {
        let current = generations.current.unwrap_or(0);
        return Err(refused(&match to {
            Some(number) => format!("profile version {number} does not exist"),
            None => format!("no profile version older than the current ({current}) exists"),
        }));
    };
    let current = generations.current.unwrap_or(0);
    let what = if dry_run { "would switch" } else { "switching" };
    context.output.say(&format!("{what} profile from version {current} to {}", found.number));
    if !dry_run {
        profile.switch_to(found)?;
    }
    Ok(())
}

/// Removes earlier generations.
pub fn wipe(context: &mut Context, arguments: &WipeHistory) -> Result<ExitCode, Error> {
    let profile = arguments.place.profile(context)?;
    let _lock = profile.lock()?;
    let generations = profile.generations()?;
    let old: Vec<u64> = match arguments.older_than {
        None => generations.all.iter().map(|generation| generation.number).collect(),
        Some(age) => older_than(&generations.all, now() - age),
    };
    delete(context, &profile, &old, arguments.dry_run)?;
    Ok(ExitCode::SUCCESS)
}

/// Seconds since 1970.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
}

/// The generations that were replaced before a time: the newest one that is older was in use at that time, so it stays.
pub fn older_than(all: &[Generation], time: i64) -> Vec<u64> {
    let older: Vec<u64> = all
        .iter()
        .filter(|generation| generation.created < time)
        .map(|generation| generation.number)
        .collect();
    older[..older.len().saturating_sub(1)].to_vec()
}

/// Removes generations, and says so.
pub fn delete(context: &Context, profile: &Profile, numbers: &[u64], dry_run: bool) -> Result<(), Error> {
    let generations = profile.generations()?;
    let wanted = numbers.iter().filter(|number| Some(**number) != generations.current);
    let wanted: Vec<u64> = wanted.filter(|number| generations.find(**number).is_some()).copied().collect();
    for number in &wanted {
        let what = if dry_run { "would remove" } else { "removing" };
        context.output.say(&format!("{what} profile version {number}"));
    }
    if !dry_run {
        profile.delete(&wanted)?;
    }
    Ok(())
}
