//! Copying paths from one store to another.

use super::{Store, Trust, closure, references_first, schedule, valid_info};
use crate::PathInfo;
use crate::error::Error;
use crate::remote_error::RemoteError;
use nival_store_model::{SecretKey, StorePath};
use std::collections::BTreeMap;

/// How paths are copied.
#[derive(Clone, Debug)]
pub struct CopyOptions {
    /// Whose signatures the receiving store wants.
    pub trust: Trust,
    /// Whether what the paths refer to is copied with them.
    pub closure: bool,
    /// How many are copied at the same time.
    pub jobs: usize,
    /// Keys that sign what is copied.
    pub keys: Vec<SecretKey>,
}

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// The paths that were missing, in the order of their references.
    pub paths: Vec<StorePath>,
    /// Bytes of their archives.
    pub bytes: u64,
}

/// Copies paths that the other store does not have. `begin` is told each path before it goes.
///
/// # Errors
/// The first error; what was copied before stays.
pub fn copy(
    from: &dyn Store,
    to: &dyn Store,
    paths: &[StorePath],
    options: &CopyOptions,
    begin: &(dyn Fn(&PathInfo) + Sync),
) -> Result<Copied, Error> {
    if from.dir() != to.dir() {
        let text = format!("it is for `{}`, not `{}`", to.dir().as_str(), from.dir().as_str());
        return Err(RemoteError::cache(&to.url(), text).into());
    }
    let infos = wanted(from, paths, options.closure)?;
    let all: Vec<_> = infos.keys().cloned().collect();
    let there = to.valid_among(&all)?;
    let missing: BTreeMap<_, _> = infos.into_iter().filter(|(path, _)| !there.contains(path)).collect();
    let order = references_first(&missing);
    let needs = needs(&order, &missing);
    schedule::run(&needs, options.jobs.max(1), |at| {
        let Some(info) = missing.get(&order[at]) else { return Ok(()) };
        begin(info);
        let info = signed(from, info, options);
        let trust = if from.is_trusted() { &Trust::everything() } else { &options.trust };
        to.add(&info, &mut from.nar(&info.path)?, trust, &from.url())
    })?;
    let bytes = missing.values().map(|info| info.nar_size).sum();
    Ok(Copied { paths: order, bytes })
}

fn wanted(
    from: &dyn Store,
    paths: &[StorePath],
    with_references: bool,
) -> Result<BTreeMap<StorePath, PathInfo>, Error> {
    if with_references {
        return closure(from, paths);
    }
    paths.iter().map(|path| Ok((path.clone(), valid_info(from, path)?))).collect()
}

/// For each path the places in the order of what it refers to.
pub(super) fn needs(order: &[StorePath], infos: &BTreeMap<StorePath, PathInfo>) -> Vec<Vec<usize>> {
    let places: BTreeMap<_, _> = order.iter().enumerate().map(|(at, path)| (path, at)).collect();
    let of = |(at, path): (usize, &StorePath)| {
        let references = infos.get(path).map(|info| info.references.as_slice()).unwrap_or_default();
        // One behind would be part of a circle, which only somebody who lies can make: it will be found missing.
        references.iter().filter_map(|next| places.get(next).copied()).filter(|next| *next < at).collect()
    };
    order.iter().enumerate().map(of).collect()
}

fn signed(from: &dyn Store, info: &PathInfo, options: &CopyOptions) -> PathInfo {
    let mut info = info.clone();
    if !options.keys.is_empty() {
        let text = nival_store_model::signature::fingerprint(
            from.dir(),
            &info.path,
            &info.nar_hash,
            info.nar_size,
            &info.references,
        );
        info.signatures.extend(options.keys.iter().map(|key| key.sign(text.as_bytes()).to_string()));
    }
    info
}
