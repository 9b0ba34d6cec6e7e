//! Secrets that are given to a machine: they go into its data, never into the store.

use crate::error::Doing as _;
use crate::manifest::Manifest;
use crate::{Error, Machines};
use nival_sys::fs;
use nival_sys::fs::folder::Folder;
use std::ffi::OsStr;
use std::path::Path;

/// Where a machine keeps them, in its data.
const KEPT: [&str; 3] = ["var", "lib", "nival-secrets"];

impl Machines {
    /// Gives a machine secrets, by name with their contents, and then looks whether it has all that it cannot make itself.
    ///
    /// # Errors
    /// [`Error::UnknownSecret`] for a name that the machine does not declare, [`Error::MissingSecret`], and what the system
    /// says.
    pub fn give_secrets(&self, manifest: &Manifest, given: &[(String, Vec<u8>)]) -> Result<(), Error> {
        for (name, _) in given {
            if !manifest.secrets.contains_key(name) {
                let known = manifest.secrets.keys().cloned().collect();
                return Err(Error::UnknownSecret {
                    machine: manifest.name.clone(),
                    name: name.clone(),
                    known,
                });
            }
        }
        if manifest.secrets.is_empty() {
            return Ok(());
        }
        crate::check_machine(&manifest.name)?;
        let data = self.folder(&manifest.name).data();
        fs::create_dir_all(&data).doing(|| format!("make the folder of `{}`", manifest.name))?;
        for (name, contents) in given {
            give(&data, name, contents).doing(|| format!("keep the secret `{name}`"))?;
        }
        let kept = KEPT.iter().fold(data, |path, name| path.join(name));
        let missing = manifest.secrets.iter().filter(|(name, secret)| {
            !secret.generated && !given.iter().any(|(known, _)| known == *name) && !there(&kept.join(name))
        });
        match missing.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            names if names.is_empty() => Ok(()),
            names => Err(Error::MissingSecret { machine: manifest.name.clone(), names }),
        }
    }
}

/// A machine's own root writes here too: each step goes by descriptor, and no link is followed.
fn give(data: &Path, name: &str, contents: &[u8]) -> std::io::Result<()> {
    let mut folder = Folder::open(data)?;
    for step in KEPT {
        folder = folder.descend(OsStr::new(step))?;
    }
    let (folders, file) = name.rsplit_once('/').unwrap_or(("", name));
    for step in folders.split('/').filter(|step| !step.is_empty()) {
        folder = folder.descend(OsStr::new(step))?;
    }
    folder.replace_file(OsStr::new(file), contents, 0o600)
}

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
}
