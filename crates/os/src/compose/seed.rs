//! What has to exist in a machine's writable folders before its units start.
//!
//! A file that is there is never touched: it may have been changed by its service.

use super::listing::{Attributes, Kind, Listing};
use crate::error::Doing as _;
use crate::ids::{Ids, primary_group};
use crate::manifest::Root;
use crate::{Error, Manifest, accounts, names};
use nival_sys::{fs, owner};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Something that a package brings below /var.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed {
    path: String,
    /// The file to copy, or the target of a link; a folder has neither.
    source: Option<String>,
    link: Option<String>,
    mode: u32,
    user: u32,
    group: u32,
}

/// A declared folder with its owner looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedFolder {
    pub(crate) path: String,
    pub(crate) mode: u32,
    pub(crate) user: u32,
    pub(crate) group: u32,
}

/// All that packages bring below /var, folders before what is in them.
pub(super) fn of_packages(root: &Root, listings: &[Listing], ids: &Ids) -> Result<Vec<Seed>, Error> {
    let mut seeds = std::collections::BTreeMap::new();
    for (package, listing) in root.packages.iter().zip(listings) {
        for entry in listing.entries.iter().filter(|entry| entry.path.starts_with("/var/")) {
            if matches!(entry.path.as_str(), "/var/run" | "/var/lock") {
                continue;
            }
            let (source, link, usual) = match &entry.kind {
                Kind::Folder => (None, None, 0o755),
                Kind::File { .. } => (Some(format!("{}/root{}", package.path, entry.path)), None, 0o644),
                Kind::Link(target) => (None, Some(target.clone()), 0o777),
            };
            let usual = Attributes { mode: usual, user: "root".to_owned(), group: "root".to_owned() };
            let own = listing.owners.get(&entry.path).unwrap_or(&usual);
            let seed = Seed {
                path: entry.path.clone(),
                source,
                link,
                mode: own.mode,
                user: ids.user(&own.user, &entry.path)?,
                group: ids.group(&own.group, &entry.path)?,
            };
            seeds.entry(entry.path.clone()).or_insert(seed);
        }
    }
    Ok(seeds.into_values().collect())
}

/// The declared folders and the users' homes, parents first.
pub(super) fn directories(manifest: &Manifest, ids: &Ids) -> Result<Vec<OwnedFolder>, Error> {
    let mut folders = vec![
        OwnedFolder {
            path: "/var/log/journal".to_owned(),
            mode: 0o2755,
            user: 0,
            group: ids.group("systemd-journal", "").unwrap_or(0),
        },
        OwnedFolder { path: "/var/tmp".to_owned(), mode: 0o1777, user: 0, group: 0 },
    ];
    for (name, user) in manifest.users.iter().filter(|(_, user)| user.create_home) {
        let path = accounts::home(name, user);
        names::check_path(&path, false)?;
        let group = ids.group(primary_group(name, &user.group), &path)?;
        folders.push(OwnedFolder { mode: 0o700, user: ids.user(name, &path)?, group, path });
    }
    for folder in &manifest.directories {
        names::check_path(&folder.path, false)?;
        folders.push(OwnedFolder {
            path: folder.path.clone(),
            mode: mode(&folder.path, &folder.mode)?,
            user: ids.user(&folder.user, &folder.path)?,
            group: ids.group(&folder.group, &folder.path)?,
        });
    }
    folders.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(folders)
}

/// Reads permission bits in octal.
pub(super) fn mode(path: &str, text: &str) -> Result<u32, Error> {
    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777).ok_or_else(|| Error::Path {
        path: path.to_owned(),
        reason: format!("its mode is not octal: {text}"),
    })
}

/// Makes what is missing. Runs inside of the machine's own root: no link of the machine leads out of it.
pub(super) fn plant(seeds: &[Seed], directories: &[OwnedFolder]) -> Result<(), Error> {
    for seed in seeds {
        let path = Path::new(&seed.path);
        if fs::symlink_metadata(path).is_ok() {
            continue;
        }
        let make = || -> std::io::Result<()> {
            if let Some(target) = &seed.link {
                return fs::symlink(Path::new(target), path);
            }
            match &seed.source {
                Some(source) => fs::copy_new(Path::new(source), path, seed.mode)?,
                None => fs::create_dir_all(path)?,
            }
            give(path, (seed.user, seed.group), seed.mode)
        };
        make().doing(|| format!("make `{}`", seed.path))?;
    }
    for folder in directories {
        let path = Path::new(&folder.path);
        let make = || -> std::io::Result<()> {
            fs::create_dir_all(path)?;
            let before = std::fs::metadata(path)?;
            use std::os::unix::fs::MetadataExt as _;
            let same = (before.mode() & 0o7777, before.uid(), before.gid());
            if same == (folder.mode, folder.user, folder.group) {
                return Ok(());
            }
            give(path, (folder.user, folder.group), folder.mode)
        };
        make().doing(|| format!("make `{}`", folder.path))?;
    }
    Ok(())
}

/// Gives a file or folder its owner, then its mode (a change of owner clears set-id bits).
pub(super) fn give(path: &Path, (user, group): (u32, u32), mode: u32) -> std::io::Result<()> {
    owner::set_owner(path, user, group)?;
    fs::set_mode(path, mode)
}
