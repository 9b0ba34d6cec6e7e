//! Listing packages.

use super::Call;
use super::elements::Element;
use super::install::{is_offered, prebuilt};
use super::names::compare;
use crate::commands::store::name_and_version;
use crate::error::Error;
use nival_store_model::StorePath;
use serde_json::{Map, Value as Json, json};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::process::ExitCode;

/// What is shown of packages.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are the switches of nix-env")]
pub(super) struct Wishes {
    /// Of the packages that are installed; the usual
    #[arg(long)]
    installed: bool,
    /// Of the packages that can be installed
    #[arg(short, long, conflicts_with = "installed")]
    available: bool,
    /// Whether they are installed, present, or in a cache
    #[arg(short, long)]
    status: bool,
    /// Which versions there are on the other side
    #[arg(short, long)]
    compare_versions: bool,
    /// Leave out names
    #[arg(long)]
    no_name: bool,
    /// The systems that they are for
    #[arg(long)]
    system_of: bool,
    /// The paths that they give
    #[arg(long)]
    out_path: bool,
    /// Their derivations
    #[arg(long)]
    drv_path: bool,
    /// What they are for
    #[arg(long)]
    description: bool,
    /// Everything as JSON
    #[arg(long)]
    json: bool,
    /// With `--json`, also what `meta` says
    #[arg(long, requires = "json")]
    meta: bool,
}

/// Lists packages.
pub(super) fn query(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    let wishes = &call.arguments.query;
    let link = call.profile.link().to_owned();
    let needs_installed = !wishes.available || wishes.status || wishes.compare_versions;
    let installed = if needs_installed { call.installed(&link)? } else { Vec::new() };
    let needs_available = wishes.available || wishes.compare_versions;
    let available = match (
        needs_available,
        wishes.available && (call.arguments.attr || call.arguments.from_expression),
    ) {
        (_, true) => call.wanted(false)?,
        (true, _) => call.available()?,
        _ => Vec::new(),
    };
    let (own, other) = if wishes.available { (&available, &installed) } else { (&installed, &available) };
    let words =
        if call.arguments.attr || call.arguments.from_expression { &[][..] } else { &call.arguments.words };
    let mut shown = call.select(own, words, false)?;
    shown = prebuilt(call, shown)?;
    shown.sort_by_key(|element| element.name.to_lowercase());
    let mut there = BTreeSet::new();
    if wishes.status {
        for mut element in installed.clone() {
            there.insert(call.known(&mut element)?.out);
        }
    }
    if wishes.json {
        return as_json(call, shown);
    }
    let mut rows = Vec::new();
    for mut element in shown {
        rows.push(row(call, &mut element, other, &there)?);
    }
    let text = table(&rows);
    if !text.is_empty() {
        call.context.output.text(&text, true);
    }
    Ok(ExitCode::SUCCESS)
}

fn row(
    call: &mut Call<'_>,
    element: &mut Element,
    other: &[Element],
    installed: &BTreeSet<StorePath>,
) -> Result<Vec<String>, Error> {
    let wishes = &call.arguments.query;
    let mut columns = Vec::new();
    if wishes.status {
        let out = call.known(element)?.out;
        let is_valid = call.context.store()?.is_valid(&out)?;
        let letter = |is_so: bool, letter: char| if is_so { letter } else { '-' };
        let offered = is_offered(call, &out)?;
        columns.push(
            [letter(installed.contains(&out), 'I'), letter(is_valid, 'P'), letter(offered, 'S')]
                .iter()
                .collect(),
        );
    }
    if call.arguments.attr_path {
        columns.push(element.attribute.clone());
    }
    if !wishes.no_name {
        columns.push(element.name.clone());
    }
    if wishes.compare_versions {
        columns.push(compared(element, other));
    }
    if wishes.system_of {
        columns.push(element.system.clone());
    }
    let print =
        |call: &mut Call<'_>, path: &StorePath| Ok::<_, Error>(call.context.store()?.dir().print(path));
    if wishes.drv_path {
        let known = call.known(element)?;
        columns.push(match &known.drv {
            Some(drv) => print(call, drv)?,
            None => "-".to_owned(),
        });
    }
    if wishes.out_path {
        let known = call.known(element)?;
        let mut all = Vec::new();
        for (name, path) in &known.outputs {
            let path = print(call, path)?;
            all.push(if name == "out" { path } else { format!("{name}={path}") });
        }
        columns.push(all.join(";"));
    }
    if wishes.description {
        columns.push(call.meta_text(element, "description")?.unwrap_or_default());
    }
    Ok(columns)
}

/// How the newest version on the other side compares.
fn compared(element: &Element, other: &[Element]) -> String {
    let (name, version) = name_and_version(&element.name);
    let versions = other.iter().map(|element| name_and_version(&element.name));
    let same = versions.filter(|(other, _)| *other == name).map(|(_, version)| version);
    match same.max_by(|a, b| compare(a, b)) {
        None => "- ?".to_owned(),
        Some(newest) => match compare(&version, &newest) {
            Ordering::Less => format!("< {newest}"),
            Ordering::Equal => format!("= {newest}"),
            Ordering::Greater => format!("> {newest}"),
        },
    }
}

/// Rows with their columns below each other.
fn table(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..count).map(|at| width(at).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(at, (cell, width))| {
            if at + 1 < row.len() { format!("{cell:width$}  ") } else { cell.clone() }
        });
        cells.collect::<String>()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn as_json(call: &mut Call<'_>, shown: Vec<Element>) -> Result<ExitCode, Error> {
    let mut all = Map::new();
    for mut element in shown {
        let (name, version) = name_and_version(&element.name);
        let mut value =
            json!({ "name": element.name, "pname": name, "version": version, "system": element.system });
        let (names, meant) = call.outputs(&element)?;
        value["outputName"] = meant.into();
        value["outputs"] = Json::Object(names.into_iter().map(|name| (name, Json::Null)).collect());
        if call.arguments.query.out_path || call.arguments.query.drv_path {
            let known = call.known(&mut element)?;
            let dir = call.context.store()?.dir().clone();
            if call.arguments.query.drv_path {
                value["drvPath"] = known.drv.as_ref().map(|drv| dir.print(drv)).into();
            }
            if call.arguments.query.out_path {
                let outputs =
                    known.outputs.iter().map(|(name, path)| (name.clone(), Json::from(dir.print(path))));
                value["outputs"] = Json::Object(outputs.collect());
            }
        }
        if call.arguments.query.meta {
            call.known(&mut element)?;
            let meta = call.meta_as_json(&element)?;
            value["meta"] = meta;
        }
        let key = if element.attribute.is_empty() { element.name.clone() } else { element.attribute.clone() };
        all.insert(key, value);
    }
    call.context.output.text(&Json::Object(all).to_string(), true);
    Ok(ExitCode::SUCCESS)
}
