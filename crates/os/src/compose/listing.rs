//! What files a package holds, read once per store path and kept.

use super::Store;
use crate::error::Doing as _;
use crate::manifest::Package;
use crate::{Error, State, state};
use nival_sys::fs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The files of one package and what a store cannot hold about them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listing {
    /// Every entry below `root/`, parents first; paths are absolute in the root.
    pub entries: Vec<Entry>,
    /// Modes and owners by absolute path.
    pub owners: BTreeMap<String, Attributes>,
}

/// One file, link or folder of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub path: String,
    pub kind: Kind,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Folder,
    File { size: u64 },
    Link(String),
}

/// Mode and owner of an entry, from the package's `metadata.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attributes {
    pub mode: u32,
    pub user: String,
    pub group: String,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    attributes: BTreeMap<String, Attributes>,
}

/// The listing of a package: from what was kept, else by walking it.
pub(crate) fn listing(store: &Store, state: &State, package: &Package) -> Result<Listing, Error> {
    let name = package.path.rsplit('/').next().unwrap_or_default();
    let kept = state.listings().join(format!("{name}.json"));
    if let Ok(listing) = state::read_json(&kept) {
        return Ok(listing);
    }
    let folder = store.physical(&package.path);
    let root = folder.join("root");
    if !root.is_dir() {
        return Err(Error::MissingPackage { name: package.name.clone(), path: package.path.clone() });
    }
    let mut listing = Listing::default();
    walk(&root, "", &mut listing.entries).doing(|| format!("read the package `{}`", package.name))?;
    let metadata = folder.join("metadata.json");
    if metadata.exists() {
        let metadata: Metadata = state::read_json(&metadata)?;
        listing.owners = metadata
            .attributes
            .into_iter()
            .map(|(path, a)| (format!("/{}", path.trim_matches('/')), a))
            .collect();
    }
    fs::create_dir_all(&state.listings()).doing(|| "make the folder of listings".to_owned())?;
    // A damaged one is no JSON, and is made again.
    let text = serde_json::to_vec(&listing).unwrap_or_default();
    fs::write_kept(&kept, &text).doing(|| format!("write `{}`", kept.display()))?;
    Ok(listing)
}

fn walk(folder: &Path, prefix: &str, entries: &mut Vec<Entry>) -> std::io::Result<()> {
    let mut names: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    names.sort_by_key(std::fs::DirEntry::file_name);
    for entry in names {
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let path = format!("{prefix}/{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            entries.push(Entry { path: path.clone(), kind: Kind::Folder });
            walk(&entry.path(), &path, entries)?;
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path())?.to_string_lossy().into_owned();
            entries.push(Entry { path, kind: Kind::Link(target) });
        } else {
            entries.push(Entry { path, kind: Kind::File { size: entry.metadata()?.len() } });
        }
    }
    Ok(())
}
