//! Keeps the number of layers below what the kernel takes: the smallest packages share one layer.

use super::Store;
use super::listing::{Kind, Listing};
use crate::error::Doing as _;
use crate::manifest::Root;
use crate::{Error, State, names};
use nival_sys::fs;
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// How many layers a root has at most; the kernel's own limit is 500.
const MOST: usize = 450;

/// The layers of a root's packages, in the order of the packages, a shared layer last.
pub(super) fn layers(
    store: &Store,
    state: &State,
    root: &Root,
    listings: &[Listing],
) -> Result<Vec<String>, Error> {
    let all = || root.packages.iter().map(|package| format!("{}/root", package.path));
    if root.packages.len() <= MOST {
        return Ok(all().collect());
    }
    let size = |listing: &Listing| -> u64 {
        listing.entries.iter().map(|entry| if let Kind::File { size } = entry.kind { size } else { 0 }).sum()
    };
    let mut order: Vec<usize> = (0..listings.len()).collect();
    order.sort_by_key(|index| (size(&listings[*index]), *index));
    let mut merged: Vec<usize> = order[..root.packages.len() - MOST + 1].to_vec();
    merged.sort_unstable();
    let name = share(store, state, root, listings, &merged)?;
    let kept =
        all().enumerate().filter(|(index, _)| merged.binary_search(index).is_err()).map(|(_, layer)| layer);
    Ok(kept.chain(std::iter::once(name)).collect())
}

fn share(
    store: &Store,
    state: &State,
    root: &Root,
    listings: &[Listing],
    merged: &[usize],
) -> Result<String, Error> {
    let mut digest = Sha256::new();
    for index in merged {
        digest.update(root.packages[*index].path.as_bytes());
        digest.update(b"\n");
    }
    let name = format!("shared-{}", names::hex(&digest.finalize()[..16]));
    let place = state.layers().join(&name);
    if place.is_dir() {
        return Ok(format!("{name}/root"));
    }
    let staged = state.layers().join(format!(".{name}"));
    let make = || -> std::io::Result<()> {
        fs::remove_tree(&staged)?;
        fs::create_dir_all(&staged.join("root"))?;
        for index in merged {
            let source = store.physical(&root.packages[*index].path).join("root");
            copy(&source, &staged.join("root"), &listings[*index])?;
        }
        fs::rename(&staged, &place)
    };
    make().doing(|| "merge small packages into one layer".to_owned())?;
    Ok(format!("{name}/root"))
}

fn copy(source: &Path, target: &Path, listing: &Listing) -> std::io::Result<()> {
    for entry in &listing.entries {
        let (from, to) = (source.join(&entry.path[1..]), target.join(&entry.path[1..]));
        if fs::symlink_metadata(&to).is_ok() {
            continue;
        }
        match &entry.kind {
            Kind::Folder => fs::create_dir_all(&to)?,
            Kind::Link(link) => fs::symlink(Path::new(link), &to)?,
            Kind::File { .. } => {
                if fs::hard_link(&from, &to).is_err() {
                    let executable =
                        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&from)?.permissions());
                    fs::copy_new(&from, &to, executable & 0o777)?;
                }
            }
        }
    }
    Ok(())
}
