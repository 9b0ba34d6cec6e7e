//! Roots made of one read-only layer per package, with one small generated layer on top.
//!
//! The generated layer holds what the configuration writes, and copies of the few
//! files whose mode, owner or capabilities a store cannot hold. It is kept by the
//! digest of what it is made from, so that composing again costs nothing. Layers are
//! not synced to the disk one by one: one that was made before the host's last boot is made anew.

mod capability;
mod clash;
mod layer;
mod listing;
mod merge;
mod seed;
mod units;

use crate::error::Doing as _;
use crate::ids::Ids;
use crate::manifest::Root;
use crate::{Error, Manifest, State, names, state};
use nival_sys::{fs, mount};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use seed::{OwnedFolder, Seed};
pub(crate) use units::{PackageUnit, package_units, template};

/// Changes with the form of generated layers, so that old ones are not taken.
const FORM: u32 = 2;

/// The file of a root that holds the key of its composition, so that it is known what is shown.
pub(crate) const MARK: &str = ".nival";

/// Where the logical store `/nix/store` lies physically.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store(PathBuf);

impl Store {
    /// The store below a folder that contains `nix/store`; `/` for the machine's own view.
    #[must_use]
    pub fn below(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Where a logical path lies.
    #[must_use]
    pub fn physical(&self, logical: &str) -> PathBuf {
        self.0.join(logical.trim_start_matches('/'))
    }
}

/// A composed root: what is mounted, and what is made in writable folders before units start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Composition {
    /// The digest of what the generated layer is made from.
    pub key: String,
    /// The layers, topmost first: below `layers/` of the state, or store paths.
    pub layers: Vec<String>,
    /// What packages bring below /var.
    pub seeds: Vec<Seed>,
    /// Declared folders.
    pub directories: Vec<OwnedFolder>,
    /// Further roots by name.
    pub roots: BTreeMap<String, Composition>,
    /// The boot of the host in which it was made.
    boot: String,
}

/// Composes everything that a generation needs; what was composed before is taken as it is.
///
/// # Errors
/// [`Error::FileClash`], [`Error::Owner`], [`Error::MissingPackage`] and others, before anything is left behind.
pub fn compose(store: &Store, state: &State, manifest: &Manifest) -> Result<Composition, Error> {
    let ids = Ids::for_manifest(state, manifest)?;
    let machine_id = machine_id(state)?;
    let boot = boot_id();
    let mut roots = BTreeMap::new();
    for (name, root) in &manifest.roots {
        names::check_machine(name)?;
        let key = key(&(FORM, "root", root, &ids));
        let composition = composed(state, &key, &boot, || {
            let generated = layer::Generated::further(root);
            make(store, state, root, &ids, generated, (&key, &boot))
        })?;
        roots.insert(name.clone(), composition);
    }
    let parts = (&manifest.name, &manifest.root, &manifest.users, &manifest.groups, &manifest.units);
    let key = key(&(FORM, parts, &manifest.masks, &manifest.directories, &ids, &machine_id));
    let mut whole = composed(state, &key, &boot, || {
        let generated = layer::Generated::machine(store, manifest, &ids, &machine_id)?;
        let mut made = make(store, state, &manifest.root, &ids, generated, (&key, &boot))?;
        made.directories = seed::directories(manifest, &ids)?;
        Ok(made)
    })?;
    whole.roots = roots;
    Ok(whole)
}

fn key(parts: &impl Serialize) -> String {
    let text = serde_json::to_vec(parts).unwrap_or_default();
    names::hex(&Sha256::digest(&text)[..16])
}

fn composed(
    state: &State,
    key: &str,
    boot: &str,
    make: impl FnOnce() -> Result<Composition, Error>,
) -> Result<Composition, Error> {
    let kept = state.layers().join(key).join("composition.json");
    if let Ok(composition) = state::read_json::<Composition>(&kept)
        && composition.boot == boot
    {
        return Ok(composition);
    }
    let composition = make()?;
    state::write_json(&kept, &composition)?;
    Ok(composition)
}

fn make(
    store: &Store,
    state: &State,
    root: &Root,
    ids: &Ids,
    generated: layer::Generated,
    (key, boot): (&str, &str),
) -> Result<Composition, Error> {
    let listings = root
        .packages
        .iter()
        .map(|package| listing::listing(store, state, package))
        .collect::<Result<Vec<_>, _>>()?;
    let diverted = clash::check(store, root, &listings)?;
    let seeds = seed::of_packages(root, &listings, ids)?;
    layer::write(store, state, root, ids, generated, &listings, &diverted, key)?;
    let mut layers = vec![format!("{key}/root")];
    layers.extend(merge::layers(store, state, root, &listings)?);
    Ok(Composition { key: key.to_owned(), layers, seeds, boot: boot.to_owned(), ..Composition::default() })
}

impl Composition {
    /// Makes the root as a detached, read-only mount. `user` is for a mount inside of a user namespace.
    ///
    /// # Errors
    /// When a layer is not there, or whatever else the kernel says.
    pub fn mount(&self, store: &Store, state: &State, user: bool) -> Result<mount::Detached, Error> {
        let paths = self.layer_folders(store, state);
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        mount::overlay(&paths, user).doing(|| "mount the composed root".to_owned())
    }

    /// The folders of its layers, topmost first.
    pub(crate) fn layer_folders(&self, store: &Store, state: &State) -> Vec<PathBuf> {
        let place = |layer: &String| {
            if layer.starts_with('/') { store.physical(layer) } else { state.layers().join(layer) }
        };
        self.layers.iter().map(place).collect()
    }

    /// Makes what is missing in the writable folders of the machine that this process is in.
    ///
    /// # Errors
    /// When something cannot be made.
    pub fn prepare(&self) -> Result<(), Error> {
        seed::plant(&self.seeds, &self.directories)
    }
}

/// Removes layers that no generation in `kept` needs any more; gives how many.
///
/// # Errors
/// When one cannot be removed.
pub fn collect(state: &State, kept: &[Composition]) -> Result<usize, Error> {
    let wanted: BTreeSet<&str> = kept
        .iter()
        .flat_map(|whole| std::iter::once(whole).chain(whole.roots.values()))
        .flat_map(|composition| composition.layers.iter())
        .filter_map(|layer| layer.split('/').next())
        .collect();
    let mut removed = 0;
    for entry in fs::read_dir(state.layers()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if !name.to_str().is_some_and(|name| wanted.contains(name)) {
            fs::remove_tree(&entry.path()).doing(|| format!("remove `{}`", entry.path().display()))?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// The machine's own id: made once, 32 hexadecimal digits.
fn machine_id(state: &State) -> Result<String, Error> {
    let path = state.path().join("machine-id");
    if let Ok(text) = fs::read_to_string(&path)
        && text.trim().len() == 32
    {
        return Ok(text.trim().to_owned());
    }
    fs::create_dir_all(state.path()).doing(|| "make the state folder".to_owned())?;
    let random =
        fs::read_to_string("/proc/sys/kernel/random/uuid").doing(|| "make a machine id".to_owned())?;
    let id: String = random.chars().filter(char::is_ascii_hexdigit).collect();
    fs::write_atomic(&path, format!("{id}\n").as_bytes(), 0o444)
        .doing(|| "write the machine id".to_owned())?;
    Ok(id)
}
