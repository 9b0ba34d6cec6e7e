//! `nival store make-content-addressed`

use crate::context::Context;
use crate::error::Error;
use crate::stores::SettingArguments;
use clap::Args;
use nival_store::stores;
use nival_store_model::StorePath;
use serde_json::{Map, json};
use std::process::ExitCode;

/// What can be typed behind `nival store make-content-addressed`.
#[derive(Args)]
pub struct Arguments {
    /// Store paths, or links that lead to them
    #[arg(required = true)]
    paths: Vec<String>,
    /// The store that has the paths; the own one where it is not given
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// The store that gets the new ones; the own one where it is not given
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    #[command(flatten)]
    settings: SettingArguments,
}

/// Copies paths, and what they refer to, to names that follow from their contents.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let stores = context.stores(&arguments.settings)?;
    let open = |address: &Option<String>, create| match address {
        Some(address) => Ok::<_, Error>(stores.opener.open(address, create)?.0),
        None => Ok(stores.store.clone()),
    };
    let (from, to) = (open(&arguments.from, false)?, open(&arguments.to, true)?);
    let paths = stores.paths(&arguments.paths)?;
    let renamed = stores::copy_by_contents(&*from, &*to, &paths)?;
    let print = |path: &StorePath| from.dir().print(path);
    let pairs = paths.iter().filter_map(|path| Some((print(path), print(renamed.get(path)?))));
    let pairs: Vec<_> = pairs.collect();
    if context.output.is_json() {
        let rewrites: Map<_, _> = pairs.into_iter().map(|(old, new)| (old, new.into())).collect();
        context.output.result("", || json!({ "rewrites": rewrites }));
    } else {
        let lines: Vec<_> = pairs.iter().map(|(old, new)| format!("rewrote '{old}' to '{new}'")).collect();
        context.output.text(&lines.join("\n"), true);
    }
    Ok(ExitCode::SUCCESS)
}
