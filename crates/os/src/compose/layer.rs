//! The generated layer: the configuration's files, and copies of what a store cannot hold.

use super::clash::Diverted;
use super::listing::{Kind, Listing};
use super::{Store, capability, seed, units};
use crate::error::Doing as _;
use crate::ids::Ids;
use crate::manifest::{Content, Root};
use crate::{Error, Manifest, State, accounts, names};
use nival_sys::{fs, owner};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Files that are made for this kind of root beside those that are declared.
#[derive(Debug, Default)]
pub(super) struct Generated {
    folders: Vec<&'static str>,
    links: BTreeMap<String, String>,
    texts: BTreeMap<String, (String, u32, u32)>,
}

impl Generated {
    /// For a machine's own root, mounted at `/system`: its links lead to the machine's writable folders.
    pub(super) fn machine(
        store: &Store,
        manifest: &Manifest,
        ids: &Ids,
        machine_id: &str,
    ) -> Result<Self, Error> {
        let mut made = Self { folders: vec!["etc", "usr"], ..Self::default() };
        for name in ["var", "run", "proc", "sys", "dev", "tmp", "home", "root", "srv", "nix"] {
            made.links.insert(format!("/{name}"), format!("/{name}"));
        }
        for name in ["bin", "sbin", "lib", "lib64"] {
            made.links.insert(format!("/{name}"), format!("usr/{name}"));
        }
        made.links.insert("/etc/mtab".to_owned(), "/proc/self/mounts".to_owned());
        made.links.insert("/etc/resolv.conf".to_owned(), "/run/nival/resolv.conf".to_owned());
        made.links.insert("/etc/hosts".to_owned(), "/run/nival/hosts".to_owned());
        let mut text = |path: &str, text: String| made.texts.insert(path.to_owned(), (text, 0o644, 0));
        text("/etc/hostname", format!("{}\n", manifest.name));
        text("/etc/machine-id", format!("{machine_id}\n"));
        for file in accounts::files(manifest, ids)? {
            made.texts.insert(file.path, (file.text, file.mode, file.group));
        }
        let units = units::files(store, manifest)?;
        made.texts.extend(units.texts.into_iter().map(|(path, text)| (path, (text, 0o644, 0))));
        made.links.extend(units.links);
        Ok(made)
    }

    /// For a further root, which services see as their `/`: it has mount points for what they get.
    pub(super) fn further(root: &Root) -> Self {
        let folders =
            vec!["dev", "etc", "home", "nix/store", "proc", "root", "run", "srv", "sys", "tmp", "usr", "var"];
        let mut made = Self { folders, ..Self::default() };
        for name in ["bin", "sbin", "lib", "lib64"] {
            made.links.insert(format!("/{name}"), format!("usr/{name}"));
        }
        made.links.insert("/etc/mtab".to_owned(), "/proc/self/mounts".to_owned());
        for name in ["passwd", "group", "hosts", "resolv.conf", "machine-id", "hostname", "localtime"] {
            let path = format!("/etc/{name}");
            if !root.files.contains_key(&path) {
                made.texts.insert(path, (String::new(), 0o644, 0));
            }
        }
        made
    }
}

/// Writes the layer whole, then gives it its name.
#[allow(clippy::too_many_arguments, reason = "all that a layer is made from, used once")]
pub(super) fn write(
    store: &Store,
    state: &State,
    root: &Root,
    ids: &Ids,
    generated: Generated,
    listings: &[Listing],
    diverted: &Diverted,
    key: &str,
) -> Result<(), Error> {
    let staged = state.layers().join(format!(".{key}.{}", std::process::id()));
    let place = state.layers().join(key);
    fs::remove_tree(&staged).doing(|| "clear an old layer".to_owned())?;
    let writer = Writer { root: staged.join("root"), store, ids };
    let write = || -> Result<(), Error> {
        fs::create_dir_all(&writer.root).doing(|| "make a layer".to_owned())?;
        seed::give(&writer.root, (0, 0), 0o755).doing(|| "make a layer".to_owned())?;
        writer.special(root, listings, diverted)?;
        writer.generated(root, generated)?;
        writer.declared(root)?;
        writer.text(super::MARK, key.as_bytes(), 0o444, (0, 0))?;
        fs::remove_tree(&place).doing(|| "replace a layer".to_owned())?;
        fs::rename(&staged, &place).doing(|| "name a layer".to_owned())
    };
    write().inspect_err(|_| {
        let _ = fs::remove_tree(&staged);
    })
}

struct Writer<'a> {
    root: PathBuf,
    store: &'a Store,
    ids: &'a Ids,
}

impl Writer<'_> {
    /// Where a path of the root lies in the layer; its parents are made, and none of them is a link.
    fn place(&self, path: &str) -> Result<PathBuf, Error> {
        let mut place = self.root.clone();
        let mut parts = path.trim_start_matches('/').split('/').peekable();
        while let Some(part) = parts.next() {
            place.push(part);
            if parts.peek().is_none() {
                break;
            }
            match fs::symlink_metadata(&place) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => {
                    let reason = "a file or link is declared where it needs a folder".to_owned();
                    return Err(Error::Path { path: path.to_owned(), reason });
                }
                Err(_) => {
                    fs::create_dir(&place).doing(|| format!("make the folder of `{path}`"))?;
                    seed::give(&place, (0, 0), 0o755).doing(|| format!("make the folder of `{path}`"))?;
                }
            }
        }
        Ok(place)
    }

    fn clear(&self, path: &str) -> Result<PathBuf, Error> {
        let place = self.place(path)?;
        if fs::symlink_metadata(&place).is_ok() {
            fs::remove_tree(&place).doing(|| format!("replace `{path}`"))?;
        }
        Ok(place)
    }

    fn text(&self, path: &str, text: &[u8], mode: u32, owner: (u32, u32)) -> Result<(), Error> {
        let place = self.clear(path)?;
        fs::write_new(&place, text, mode)
            .and_then(|()| seed::give(&place, owner, mode))
            .doing(|| format!("write `{path}`"))
    }

    fn link(&self, path: &str, target: &str) -> Result<(), Error> {
        let place = self.clear(path)?;
        fs::symlink(Path::new(target), &place).doing(|| format!("link `{path}`"))
    }

    fn copy(&self, source: &Path, path: &str, mode: u32, owner: (u32, u32)) -> Result<(), Error> {
        let place = self.clear(path)?;
        fs::copy_new(source, &place, mode)
            .and_then(|()| seed::give(&place, owner, mode))
            .doing(|| format!("write `{path}`"))
    }

    fn generated(&self, root: &Root, generated: Generated) -> Result<(), Error> {
        for folder in generated.folders {
            let place = self.place(&format!("{folder}/x"))?;
            debug_assert!(place.starts_with(&self.root));
        }
        for (path, target) in &generated.links {
            if !root.files.contains_key(path) {
                self.link(path, target)?;
            }
        }
        for (path, (text, mode, group)) in &generated.texts {
            if !root.files.contains_key(path) {
                self.text(path, text.as_bytes(), *mode, (0, *group))?;
            }
        }
        Ok(())
    }

    fn declared(&self, root: &Root) -> Result<(), Error> {
        for (path, target) in &root.alternatives {
            names::check_path(path, true)?;
            self.link(path, target)?;
        }
        for (path, file) in &root.files {
            names::check_path(path, true)?;
            let mode = seed::mode(path, &file.mode)?;
            let owner = (self.ids.user(&file.user, path)?, self.ids.group(&file.group, path)?);
            match &file.content {
                Content::Text(text) => self.text(path, text.as_bytes(), mode, owner)?,
                Content::Link(target) => self.link(path, target)?,
                Content::Source(source) => self.source(path, source, mode, owner)?,
            }
        }
        Ok(())
    }

    /// A file of the store is copied; a folder of it is linked to.
    fn source(&self, path: &str, source: &str, mode: u32, owner: (u32, u32)) -> Result<(), Error> {
        let physical = self.store.physical(source);
        if !source.starts_with("/nix/store/") || !physical.exists() {
            return Err(Error::MissingPackage { name: path.to_owned(), path: source.to_owned() });
        }
        if physical.is_dir() { self.link(path, source) } else { self.copy(&physical, path, mode, owner) }
    }

    fn special(&self, root: &Root, listings: &[Listing], diverted: &Diverted) -> Result<(), Error> {
        for (path, winner) in diverted {
            self.take(root, listings, *winner, path, None)?;
        }
        for (index, listing) in listings.iter().enumerate() {
            for (path, own) in &listing.owners {
                let here = path.starts_with("/usr/") || path.starts_with("/etc/");
                if here && !root.modes.contains_key(path) {
                    let owner = (self.ids.user(&own.user, path)?, self.ids.group(&own.group, path)?);
                    self.take(root, listings, index, path, Some((own.mode & 0o7777, owner)))?;
                }
            }
        }
        let holder = |path: &String| {
            listings.iter().position(|listing| listing.entries.iter().any(|entry| entry.path == *path))
        };
        for (path, own) in &root.modes {
            if let Some(index) = holder(path) {
                let owner = (self.ids.user(&own.user, path)?, self.ids.group(&own.group, path)?);
                self.take(root, listings, index, path, Some((seed::mode(path, &own.mode)?, owner)))?;
            }
        }
        for (path, text) in &root.capabilities {
            let value = capability::encode(path, text)?;
            if let Some(index) = holder(path) {
                let place = self.place(path)?;
                if fs::symlink_metadata(&place).is_err() {
                    self.take(root, listings, index, path, None)?;
                }
                owner::set_capabilities(&place, &value).doing(|| format!("give capabilities to `{path}`"))?;
            }
        }
        Ok(())
    }

    /// Takes one entry of a package into the layer, with a mode and owner where they are not the usual ones.
    fn take(
        &self,
        root: &Root,
        listings: &[Listing],
        index: usize,
        path: &str,
        own: Option<(u32, (u32, u32))>,
    ) -> Result<(), Error> {
        let Some(entry) = listings[index].entries.iter().find(|entry| entry.path == path) else {
            return Ok(());
        };
        let source = self.store.physical(&root.packages[index].path).join("root").join(&path[1..]);
        match &entry.kind {
            Kind::Link(target) => self.link(path, target),
            Kind::Folder => {
                let place = self.place(path)?;
                let (mode, owner) = own.unwrap_or((0o755, (0, 0)));
                fs::create_dir_all(&place)
                    .and_then(|()| seed::give(&place, owner, mode))
                    .doing(|| format!("make `{path}`"))
            }
            Kind::File { .. } => {
                let usual =
                    std::fs::metadata(&source).map_or(0o644, |found| found.permissions().mode() & 0o777);
                let (mode, owner) = own.unwrap_or((usual | 0o200, (0, 0)));
                self.copy(&source, path, mode, owner)
            }
        }
    }
}
