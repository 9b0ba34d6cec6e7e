//! `nival path-info`

use crate::commands::subjects::Reaching;
use crate::context::Context;
use crate::error::Error;
use crate::output::bytes;
use crate::stores::{SettingArguments, Stores};
use clap::Args;
use nival_store::PathInfo;
use nival_store::stores;
use nival_store_model::{ContentAddress, ContentMethod, StorePath};
use serde_json::{Map, Value as Json, json};
use std::process::ExitCode;

/// What can be typed behind `nival path-info`.
#[derive(Args)]
#[command(disable_help_flag = true)]
#[expect(clippy::struct_excessive_bools, reason = "they are switches")]
pub struct Arguments {
    #[command(flatten)]
    subjects: Reaching,
    /// Show the size of each path's archive
    #[arg(short, long)]
    size: bool,
    /// Show the size of each path together with all that it refers to
    #[arg(short = 'S', long)]
    closure_size: bool,
    /// Show sizes as people read them
    #[arg(short = 'h', long)]
    human_readable: bool,
    /// Show who signed a path, or why it needs no signature
    #[arg(long)]
    sigs: bool,
    /// With `--json`, the form of the result: 1 or 2
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    json_format: u8,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
    #[command(flatten)]
    settings: SettingArguments,
}

/// Shows what is known of paths.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let stores = context.stores(&arguments.settings)?;
    let paths = arguments.subjects.paths(context, &*stores.store)?;
    if context.output.is_json() {
        let value = as_json(&stores, &paths, arguments)?;
        context.output.result("", || value);
        return Ok(ExitCode::SUCCESS);
    }
    let lines = paths.iter().map(|path| line(&stores, path, &paths, arguments));
    let lines = lines.collect::<Result<Vec<_>, Error>>()?;
    if !lines.is_empty() {
        context.output.text(&lines.join("\n"), true);
    }
    Ok(ExitCode::SUCCESS)
}

fn line(
    stores: &Stores,
    path: &StorePath,
    all: &[StorePath],
    arguments: &Arguments,
) -> Result<String, Error> {
    let info = stores::valid_info(&*stores.store, path)?;
    let dir = stores.store.dir();
    let mut text = dir.print(&info.path);
    if arguments.size || arguments.closure_size || arguments.sigs {
        let width = all.iter().map(|path| dir.print(path).len()).max().unwrap_or(0);
        text = format!("{text:width$}");
    }
    let shown = |size: u64| {
        if arguments.human_readable { format!("\t{:>11}", bytes(size)) } else { format!("\t{size:>11}") }
    };
    if arguments.size {
        text.push_str(&shown(info.nar_size));
    }
    if arguments.closure_size {
        text.push_str(&shown(closure_size(stores, path)?));
    }
    if arguments.sigs {
        let ultimate = info.ultimate.then(|| "ultimate".to_owned());
        let address = info.content_address.as_ref().map(|address| format!("ca:{address}"));
        let all: Vec<_> =
            ultimate.into_iter().chain(address).chain(info.signatures.iter().cloned()).collect();
        text.push_str(&format!("\t{}", all.join(" ")));
    }
    Ok(text)
}

fn closure_size(stores: &Stores, path: &StorePath) -> Result<u64, Error> {
    let closure = stores::closure(&*stores.store, std::slice::from_ref(path))?;
    Ok(closure.values().map(|info| info.nar_size).sum())
}

fn as_json(stores: &Stores, paths: &[StorePath], arguments: &Arguments) -> Result<Json, Error> {
    let dir = stores.store.dir();
    let is_new = arguments.json_format == 2;
    let key = |path: &StorePath| if is_new { path.base_name().to_owned() } else { dir.print(path) };
    let mut sorted = paths.to_vec();
    sorted.sort();
    sorted.dedup();
    let mut all = Map::new();
    for path in &sorted {
        let Some(info) = stores.store.info(path)? else {
            all.insert(key(path), Json::Null);
            continue;
        };
        let mut value = described(stores, &info, is_new, &key)?;
        if arguments.closure_size {
            let closure = stores::closure(&*stores.store, std::slice::from_ref(path))?;
            let size: u64 = closure.values().map(|info| info.nar_size).sum();
            value.insert("closureSize".to_owned(), size.into());
            let downloads = closure.keys().map(|path| stores.store.download_of(path));
            let downloads = downloads.collect::<Result<Option<Vec<_>>, _>>()?;
            if let Some(downloads) = downloads {
                let size: u64 = downloads.iter().map(|download| download.size).sum();
                value.insert("closureDownloadSize".to_owned(), size.into());
            }
        }
        value.sort_keys();
        all.insert(key(&info.path), Json::Object(value));
    }
    Ok(match is_new {
        true => json!({ "info": all, "storeDir": dir.as_str(), "version": 2 }),
        false => Json::Object(all),
    })
}

fn described(
    stores: &Stores,
    info: &PathInfo,
    is_new: bool,
    key: &dyn Fn(&StorePath) -> String,
) -> Result<Map<String, Json>, Error> {
    let address = |address: &ContentAddress| match is_new {
        true => json!({ "hash": address.hash.sri(), "method": method(address.method) }),
        false => address.to_string().into(),
    };
    let registered = (info.registered != 0).then_some(info.registered);
    let value = json!({
        "version": if is_new { 2 } else { 1 },
        "storeDir": stores.store.dir().as_str(),
        "narHash": info.nar_hash.sri(),
        "narSize": info.nar_size,
        "references": info.references.iter().map(key).collect::<Vec<_>>(),
        "ca": info.content_address.as_ref().map(address),
        "deriver": info.deriver.as_ref().map(key),
        "registrationTime": registered,
        "ultimate": info.ultimate,
        "signatures": info.signatures,
    });
    let mut value = match value {
        Json::Object(value) => value,
        _ => Map::new(),
    };
    if let Some(download) = stores.store.download_of(&info.path)? {
        value.insert("url".to_owned(), download.url.into());
        value.insert("compression".to_owned(), download.compression.name().into());
        if let Some(hash) = download.hash {
            value.insert("downloadHash".to_owned(), hash.sri().into());
        }
        if download.size > 0 {
            value.insert("downloadSize".to_owned(), download.size.into());
        }
    }
    Ok(value)
}

const fn method(method: ContentMethod) -> &'static str {
    match method {
        ContentMethod::Flat => "flat",
        ContentMethod::Recursive => "nar",
        ContentMethod::Text => "text",
        ContentMethod::Git => "git",
    }
}
