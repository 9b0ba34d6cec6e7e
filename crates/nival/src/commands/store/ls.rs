//! `nival store ls`, `nival nar ls`

use super::cat::parts;
use crate::context::Context;
use crate::diagnostics::not_in_archive;
use crate::error::Error;
use crate::stores::{SettingArguments, unreadable};
use clap::Args;
use nival_diagnostics::Diagnostic;
use nival_store::binary_cache::listing;
use serde_json::{Map, Value as Json};
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed behind `nival store ls`.
#[derive(Args)]
pub struct Arguments {
    /// A path of the store
    path: String,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    settings: SettingArguments,
}

/// What can be typed behind `nival nar ls`.
#[derive(Args)]
pub struct NarArguments {
    /// The archive
    nar: PathBuf,
    /// The path in it
    #[arg(default_value = "")]
    path: String,
    #[command(flatten)]
    form: Form,
}

#[derive(Args)]
struct Form {
    /// Also list what folders hold
    #[arg(short = 'R', long)]
    recursive: bool,
    /// Show kinds and sizes
    #[arg(short, long)]
    long: bool,
    /// Show a folder itself, not what it holds
    #[arg(short, long)]
    directory: bool,
}

/// Lists what a path of the store holds.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let stores = context.stores(&arguments.settings)?;
    let (path, inside) = stores.path(&arguments.path)?;
    nival_store::stores::valid_info(&*stores.store, &path)?;
    let is_cache = stores.store.download_of(&path)?.is_some();
    let root = listing(BufReader::new(stores.store.nar(&path)?)).map_err(nival_store::Error::Archive)?;
    show(context, &arguments.path, select(&root, &inside), &arguments.form, is_cache)
}

/// Lists what an archive holds.
pub fn ls_nar(context: &mut Context, arguments: &NarArguments) -> Result<ExitCode, Error> {
    let failed = unreadable(&format!("`{}`", arguments.nar.display()));
    let file = BufReader::new(File::open(&arguments.nar).map_err(failed)?);
    let root = listing(file).map_err(nival_store::Error::Archive)?;
    show(context, &arguments.path, select(&root, &arguments.path), &arguments.form, true)
}

fn select<'a>(root: &'a Json, inside: &str) -> Option<&'a Json> {
    parts(inside).into_iter().try_fold(root, |node, name| node.get("entries")?.get(name))
}

fn show(
    context: &Context,
    name: &str,
    node: Option<&Json>,
    form: &Form,
    with_offsets: bool,
) -> Result<ExitCode, Error> {
    let Some(node) = node else {
        let text = format!("path '{name}' does not exist");
        return Err(Error::plain(
            Diagnostic::error(&not_in_archive::ENTRY, text).help("`nival store ls -R` lists what is there"),
        ));
    };
    if context.output.is_json() {
        context.output.result("", || as_json(node, form.recursive, with_offsets));
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines = Vec::new();
    match node.get("entries").and_then(Json::as_object) {
        Some(entries) if !form.directory => list(entries, ".", form, &mut lines),
        Some(_) => one(node, ".", form, &mut lines),
        None => one(node, parts(name).last().unwrap_or(&""), form, &mut lines),
    }
    if !lines.is_empty() {
        context.output.text(&lines.join("\n"), true);
    }
    Ok(ExitCode::SUCCESS)
}

fn list(entries: &Map<String, Json>, folder: &str, form: &Form, lines: &mut Vec<String>) {
    for (name, node) in entries {
        one(node, &format!("{folder}/{name}"), form, lines);
    }
}

fn one(node: &Json, name: &str, form: &Form, lines: &mut Vec<String>) {
    let kind = match (node["type"].as_str(), node["executable"].as_bool()) {
        (Some("directory"), _) => "dr-xr-xr-x",
        (Some("symlink"), _) => "lrwxrwxrwx",
        (_, Some(true)) => "-r-xr-xr-x",
        _ => "-r--r--r--",
    };
    if form.long {
        let target = node["target"].as_str().map(|target| format!(" -> {target}")).unwrap_or_default();
        lines.push(format!("{kind} {:>20} {name}{target}", node["size"].as_u64().unwrap_or(0)));
    } else {
        lines.push(name.to_owned());
    }
    if form.recursive
        && let Some(entries) = node.get("entries").and_then(Json::as_object)
    {
        list(entries, name, form, lines);
    }
}

fn as_json(node: &Json, deep: bool, with_offsets: bool) -> Json {
    let Json::Object(fields) = node else { return node.clone() };
    let mut fields = fields.clone();
    if !with_offsets {
        fields.shift_remove("narOffset");
    }
    if let Some(Json::Object(entries)) = fields.get_mut("entries") {
        for entry in entries.values_mut() {
            *entry = if deep { as_json(entry, true, with_offsets) } else { Json::Object(Map::new()) };
        }
    }
    Json::Object(fields)
}
