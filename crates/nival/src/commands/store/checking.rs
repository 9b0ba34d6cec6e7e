//! `nival store verify` of single paths, in a store of any kind: their contents, and who vouches for them

use super::keeping;
use crate::commands::subjects::Reaching;
use crate::context::Context;
use crate::error::Error;
use crate::stores::SettingArguments;
use clap::Args;
use nival_store::PathInfo;
use nival_store::stores::{Store, Trust, is_named_by_contents, valid_info};
use nival_store_model::{Hash, Hasher, StorePath};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;

/// What can be typed behind `nival store verify`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    subjects: Reaching,
    /// Do not read the contents of paths
    #[arg(long)]
    no_contents: bool,
    /// Do not look at signatures
    #[arg(long)]
    no_trust: bool,
    /// How many signatures of trusted keys each path needs, unless its contents name it
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 0, hide_default_value = true)]
    sigs_needed: usize,
    /// A store whose signatures count too; may be given more than once
    #[arg(short = 's', long = "substituter", value_name = "STORE")]
    also: Vec<String>,
    #[command(flatten)]
    whole: keeping::Verify,
    #[command(flatten)]
    settings: SettingArguments,
}

/// What is wrong with a path.
struct Problem {
    /// `modified`, `untrusted` or `failed`.
    what: &'static str,
    text: String,
}

/// Checks paths, or where none are named the whole store and its database.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    if arguments.subjects.is_empty() {
        return keeping::verify(context, &arguments.whole);
    }
    let stores = context.stores(&arguments.settings)?;
    let paths = arguments.subjects.paths(context, &*stores.store)?;
    let opened = arguments.also.iter().map(|address| stores.opener.open(address, false));
    let others = opened.map(|opened| Ok(opened?.0)).collect::<Result<Vec<_>, nival_store::Error>>()?;
    let trust = arguments.settings.read()?.trust()?;
    let mut problems = Vec::new();
    for path in &paths {
        problems.extend(check(&*stores.store, path, arguments, &trust, &others));
    }
    for problem in &problems {
        context.output.say(&problem.text);
    }
    let text = format!("{} paths, {} problems", paths.len(), problems.len());
    let found = || problems.iter().map(|problem| json!({ "problem": problem.what, "text": problem.text }));
    context.output.result(&text, || json!({ "paths": paths.len(), "problems": found().collect::<Vec<_>>() }));
    let bit = |what: &str, bit: u8| if problems.iter().any(|problem| problem.what == what) { bit } else { 0 };
    Ok(ExitCode::from(bit("modified", 1) | bit("untrusted", 2) | bit("failed", 4)))
}

fn check(
    store: &dyn Store,
    path: &StorePath,
    arguments: &Arguments,
    trust: &Trust,
    others: &[Arc<dyn Store>],
) -> Vec<Problem> {
    let failed = |error: nival_store::Error| Problem {
        what: "failed",
        text: format!("`{}` cannot be checked: {error}", store.dir().print(path)),
    };
    let info = match valid_info(store, path) {
        Ok(info) => info,
        Err(error) => return vec![failed(error)],
    };
    let name = store.dir().print(&info.path);
    let mut problems = Vec::new();
    if !arguments.no_contents {
        match contents(store, &info) {
            Ok(got) if got == info.nar_hash => {}
            Ok(got) => {
                let (wanted, got) = (info.nar_hash.prefixed_base32(), got.prefixed_base32());
                let text = format!("path '{name}' was modified! expected hash '{wanted}', got '{got}'");
                problems.push(Problem { what: "modified", text });
            }
            Err(error) => problems.push(failed(error)),
        }
    }
    if !arguments.no_trust && !is_vouched_for(store, &info, arguments.sigs_needed, trust, others) {
        problems.push(Problem { what: "untrusted", text: format!("path '{name}' is untrusted") });
    }
    problems
}

/// The hash of what the store has.
fn contents(store: &dyn Store, info: &PathInfo) -> Result<Hash, nival_store::Error> {
    let mut archive = store.nar(&info.path)?;
    let mut hasher = Hasher::new(info.nar_hash.algorithm());
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = archive
            .read(&mut buffer)
            .map_err(|error| nival_store::Error::Io { doing: format!("read `{}`", info.path), error })?;
        if count == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&buffer[..count]);
    }
}

/// Whether it was built here, is named by its contents, or has enough signatures of trusted keys.
fn is_vouched_for(
    store: &dyn Store,
    info: &PathInfo,
    needed: usize,
    trust: &Trust,
    others: &[Arc<dyn Store>],
) -> bool {
    if info.ultimate && needed == 0 || is_named_by_contents(store.dir(), info) {
        return true;
    }
    let mut signatures: BTreeSet<String> = info.signatures.iter().cloned().collect();
    for other in others {
        if let Ok(Some(said)) = other.info(&info.path) {
            signatures.extend(said.signatures);
        }
    }
    // A key that signed twice counts once.
    let right = signatures.iter().filter(|signature| trust.verifies(store.dir(), info, signature));
    let keys: BTreeSet<&str> = right.filter_map(|text| text.split(':').next()).collect();
    keys.len() >= needed.max(1)
}
