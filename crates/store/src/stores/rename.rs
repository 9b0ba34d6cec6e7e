//! Copying paths to names that follow from their contents.

use super::{Store, Trust, closure, references_first};
use crate::PathInfo;
use crate::error::Error;
use nival_store_model::rewrite::{ModuloHasher, Rewriter};
use nival_store_model::store_path::References;
use nival_store_model::{Algorithm, ContentAddress, Hash, StorePath};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

/// Copies paths, and what they refer to, to names that follow from their contents; tells the new name of each.
///
/// # Errors
/// What cannot be read, or may not be added.
pub fn copy_by_contents(
    from: &dyn Store,
    to: &dyn Store,
    paths: &[StorePath],
) -> Result<BTreeMap<StorePath, StorePath>, Error> {
    let closure = closure(from, paths)?;
    let mut renamed = BTreeMap::new();
    for path in references_first(&closure) {
        if let Some(info) = closure.get(&path) {
            let new = copy_one(from, to, info, &renamed)?;
            renamed.insert(path, new);
        }
    }
    Ok(renamed)
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
    let failed = |error| Error::Io { doing: format!("read the archive of `{}`", info.path), error };
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
    from.nar(&info.path)?.read_to_end(&mut nar).map_err(failed)?;
    let nar = replaced(&nar, pairs).map_err(failed)?;
    let mut hasher = ModuloHasher::new(Algorithm::Sha256, info.path.hash_part());
    hasher.write_all(&nar).map_err(failed)?;
    let address = ContentAddress::recursive(hasher.finish().map_err(failed)?);
    let path = address.path(to.dir(), info.path.name(), &references).map_err(Error::Name)?;
    let nar = replaced(&nar, vec![(digits(&info.path), digits(&path))]).map_err(failed)?;
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
