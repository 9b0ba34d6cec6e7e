//! Finds files that two packages of one root both bring.

use super::Store;
use super::listing::{Kind, Listing};
use crate::Error;
use crate::manifest::{Package, Root};
use std::collections::HashMap;

/// A path that several packages bring and whose owner was declared: index of the package that wins.
pub(crate) type Diverted = Vec<(String, usize)>;

/// Looks through all packages of a root; says what was declared about paths that several bring.
///
/// Folders and equal files are no clash, and neither is a path that the configuration generates itself.
///
/// # Errors
/// [`Error::FileClash`] for the first path that two packages bring differently.
pub(crate) fn check(store: &Store, root: &Root, listings: &[Listing]) -> Result<Diverted, Error> {
    let mut seen: HashMap<&str, (usize, &Kind)> = HashMap::with_capacity(32 * 1024);
    let mut diverted = Diverted::new();
    for (index, listing) in listings.iter().enumerate() {
        for entry in &listing.entries {
            let Some((first, kind)) = seen.insert(&entry.path, (index, &entry.kind)) else { continue };
            if matches!((kind, &entry.kind), (Kind::Folder, Kind::Folder)) {
                continue;
            }
            let wanted = root.diversions.get(&entry.path);
            let winner =
                wanted.and_then(|name| root.packages.iter().position(|package| package.name == *name));
            if let Some(winner) = winner {
                diverted.push((entry.path.clone(), winner));
                continue;
            }
            let generated =
                root.files.contains_key(&entry.path) || root.alternatives.contains_key(&entry.path);
            let pair = (&root.packages[first], &root.packages[index]);
            if !generated && !equal(store, pair, &entry.path, (kind, &entry.kind)) {
                return Err(Error::FileClash {
                    path: entry.path.clone(),
                    first: pair.0.name.clone(),
                    second: pair.1.name.clone(),
                });
            }
        }
    }
    Ok(diverted)
}

fn equal(store: &Store, pair: (&Package, &Package), path: &str, kinds: (&Kind, &Kind)) -> bool {
    match kinds {
        (Kind::Link(first), Kind::Link(second)) => first == second,
        (Kind::File { size: first }, Kind::File { size: second }) if first == second => {
            let read = |package: &Package| {
                std::fs::read(store.physical(&package.path).join("root").join(&path[1..]))
            };
            matches!((read(pair.0), read(pair.1)), (Ok(first), Ok(second)) if first == second)
        }
        _ => false,
    }
}
