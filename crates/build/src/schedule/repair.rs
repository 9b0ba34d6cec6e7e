//! What has to be mended with something that is built again to be mended: damaged paths that it refers to.

use super::{Request, Wanted};
use crate::build_error::BuildError;
use crate::events::Event;
use crate::one::{Surroundings, known_paths};
use nival_store_model::StorePath;
use std::collections::{BTreeMap, BTreeSet};

/// The outputs of derivations behind the requested ones that are damaged, as further requests.
pub(super) fn damaged(around: &Surroundings<'_>, requests: &[Request]) -> Result<Vec<Request>, BuildError> {
    let makers = makers(around, requests)?;
    let mut outputs: BTreeSet<&StorePath> = BTreeSet::new();
    let mut requested: BTreeSet<&StorePath> = BTreeSet::new();
    for request in requests {
        if let Request::Outputs(drv, _) = request {
            requested.insert(drv);
            outputs.extend(makers.iter().filter(|(_, (maker, _))| maker == drv).map(|(path, _)| path));
        }
    }
    let mut further: BTreeMap<StorePath, BTreeSet<String>> = BTreeMap::new();
    for path in around.store.closure_of_valid(outputs)? {
        if around.cancel.is_cancelled() {
            return Err(BuildError::Cancelled);
        }
        if is_whole(around, &path)? {
            continue;
        }
        match makers.get(&path) {
            Some((drv, _)) if requested.contains(drv) => {}
            Some((drv, name)) => drop(further.entry(drv.clone()).or_default().insert(name.clone())),
            None => {
                let path = around.store.dir().print(&path);
                let text = format!("`{path}` is damaged, and nothing that is built here makes it");
                around.observer.tell(Event::Notice { text: &text });
            }
        }
    }
    Ok(further.into_iter().map(|(drv, names)| Request::Outputs(drv, Wanted::Names(names))).collect())
}

/// Which derivation makes each path that is known to be made behind the requested ones, and as which output.
fn makers(
    around: &Surroundings<'_>,
    requests: &[Request],
) -> Result<BTreeMap<StorePath, (StorePath, String)>, BuildError> {
    let mut makers = BTreeMap::new();
    let mut seen: BTreeSet<StorePath> = BTreeSet::new();
    let mut todo: Vec<StorePath> = Vec::new();
    for request in requests {
        if let Request::Outputs(drv, _) = request {
            todo.push(drv.clone());
        }
    }
    while let Some(drv) = todo.pop() {
        if !seen.insert(drv.clone()) {
            continue;
        }
        let derivation = around.store.read_derivation(&drv)?;
        for (name, path) in known_paths(around.store, &derivation)? {
            makers.insert(path, (drv.clone(), name));
        }
        todo.extend(derivation.input_derivations.into_keys());
    }
    Ok(makers)
}

fn is_whole(around: &Surroundings<'_>, path: &StorePath) -> Result<bool, BuildError> {
    let Some(info) = around.store.info(path)? else { return Ok(true) };
    let found = nival_store::archive::hash(&around.store.physical(path), None);
    Ok(found.is_ok_and(|(hash, _)| hash == info.nar_hash))
}
