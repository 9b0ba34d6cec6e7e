//! `nival store make-content-addressed`

use crate::context::Context;
use crate::error::Error;
use crate::stores::{SettingArguments, unreadable};
use clap::Args;
use nival_store::PathInfo;
use nival_store::stores::{self, Store, Trust};
use nival_store_model::rewrite::{ModuloHasher, Rewriter};
use nival_store_model::store_path::References;
use nival_store_model::{Algorithm, ContentAddress, Hash, StorePath};
use serde_json::{Map, json};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
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
    let closure = stores::closure(&*from, &paths)?;
    let mut renamed = BTreeMap::new();
    for path in stores::references_first(&closure) {
        if let Some(info) = closure.get(&path) {
            let new = copy_one(&*from, &*to, info, &renamed)?;
            renamed.insert(path, new);
        }
    }
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

fn digits(path: &StorePath) -> Vec<u8> {
    path.hash_part().as_bytes().to_vec()
}

fn copy_one(
    from: &dyn Store,
    to: &dyn Store,
    info: &PathInfo,
    renamed: &BTreeMap<StorePath, StorePath>,
) -> Result<StorePath, Error> {
    let failed = unreadable(&format!("the archive of `{}`", info.path));
    let mut references = References::default();
    let mut pairs = Vec::new();
    for old in &info.references {
        if *old == info.path {
            references.to_self = true;
            continue;
        }
        let new = renamed.get(old).unwrap_or(old);
        let full = |path: &StorePath| from.dir().print(path).into_bytes();
        pairs.push((full(old), full(new)));
        references.others.push(new.clone());
    }
    references.others.sort();
    references.others.dedup();
    let mut nar = Vec::new();
    from.nar(&info.path)?.read_to_end(&mut nar).map_err(&failed)?;
    let nar = replaced(&nar, pairs).map_err(&failed)?;
    let mut hasher = ModuloHasher::new(Algorithm::Sha256, info.path.hash_part());
    hasher.write_all(&nar).map_err(&failed)?;
    let address = ContentAddress::recursive(hasher.finish().map_err(&failed)?);
    let path = address.path(to.dir(), info.path.name(), &references).map_err(nival_store::Error::Name)?;
    let nar = replaced(&nar, vec![(digits(&info.path), digits(&path))]).map_err(&failed)?;
    let mut new = PathInfo::new(path.clone(), Hash::sha256(&nar), nar.len() as u64);
    new.references = references.others;
    if references.to_self {
        new.references.push(path.clone());
        new.references.sort();
    }
    new.content_address = Some(address);
    to.add(&new, &mut nar.as_slice(), &Trust::everything(), &from.url())?;
    Ok(path)
}

fn replaced(bytes: &[u8], pairs: Vec<(Vec<u8>, Vec<u8>)>) -> std::io::Result<Vec<u8>> {
    let mut rewriter = Rewriter::new(pairs, Vec::with_capacity(bytes.len()));
    rewriter.write_all(bytes)?;
    rewriter.finish()
}
