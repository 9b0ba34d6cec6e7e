//! Images of one service: the composed root as layers, and how the service is started without a machine around it.
//!
//! The form is an OCI image layout (`oci-layout`, `index.json`, `blobs/`) in one tar archive, as registries and container
//! programs take it. The same machine gives the same bytes: owners come from the declarations, times are none.

mod layer;
mod layout;

use crate::compose::{Composition, Store};
use crate::error::Doing as _;
use crate::manifest::Start;
use crate::{Error, State};
use layer::Tree;
use std::path::{Path, PathBuf};

/// An image that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file.
    pub file: PathBuf,
    /// Its length in bytes.
    pub size: u64,
    /// The digest of its manifest, `sha256:...`.
    pub digest: String,
}

/// Writes an image of a composed root; `texts` are searched for paths of the store that the service needs beside it.
///
/// # Errors
/// What reading the layers and writing the file gives.
pub fn write(
    store: &Store,
    state: &State,
    composition: &Composition,
    (name, start): (&str, &Start),
    texts: &str,
    to: &Path,
) -> Result<Written, Error> {
    let mut layers = composition.layer_folders(store, state);
    let generated: Vec<PathBuf> = layers.drain(..layers.len().min(1)).collect();
    let mut taken = Tree::default();
    // What lies above hides what lies below, so the upper layer is written first and read last.
    let upper = taken.archive(&generated, &layer::declared(&composition.directories))?;
    let lower = taken.archive(&layers, &layer::skeleton())?;
    let mut blobs = vec![lower, upper];
    let paths = store_paths(store, texts);
    if !paths.is_empty() {
        blobs.push(Tree::default().store_archive(store, &paths)?);
    }
    let mut image = layout::Layout::create(to).doing(|| format!("write `{}`", to.display()))?;
    let digest = image.add(name, start, blobs).doing(|| format!("write `{}`", to.display()))?;
    let size = std::fs::metadata(to).map_or(0, |metadata| metadata.len());
    Ok(Written { file: to.to_owned(), size, digest })
}

/// Paths of the store that a text names and that are there.
fn store_paths(store: &Store, text: &str) -> Vec<String> {
    const PREFIX: &str = "/nix/store/";
    let fine = |c: char| c.is_ascii_alphanumeric() || "+-._?=".contains(c);
    let mut found: Vec<String> = text
        .match_indices(PREFIX)
        .map(|(at, _)| &text[at + PREFIX.len()..])
        .map(|rest| rest.split(|c| !fine(c)).next().unwrap_or_default())
        .filter(|name| name.len() > 33 && name.as_bytes()[32] == b'-')
        .map(|name| format!("{PREFIX}{name}"))
        .filter(|path| store.physical(path).symlink_metadata().is_ok())
        .collect();
    found.sort();
    found.dedup();
    found
}
