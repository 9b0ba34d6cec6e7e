//! Folders of this machine.

use super::{Fetcher, Found};
use crate::fetchers::attributes::Attribute;
use crate::fetchers::error::{At as _, Error};
use crate::fetchers::input::Input;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

pub(super) fn fetch(fetcher: &Fetcher, input: &Input) -> Result<Found, Error> {
    let text = input.attributes.expect_text("path")?;
    if !text.starts_with('/') {
        let shown = input.shown();
        return Err(Error::Reference(format!(
            "`{shown}` is relative, and there is nothing that it starts from"
        )));
    }
    let canonical = canonical(text);
    let mut result = input.clone();
    let stored = fetcher.store.dir().parse(&canonical).ok().filter(|path| path.name() == "source");
    let stored = match stored {
        Some(path) => fetcher.store.info(&path)?,
        None => None,
    };
    let (path, hash, modified) = match stored {
        Some(info) => (info.path, info.nar_hash, 0),
        None => {
            let physical = physical(fetcher, &canonical);
            physical.symlink_metadata().at(Path::new(&canonical))?;
            let path = fetcher.store.add_tree("source", &physical, &mut |_, _| Ok(true))?;
            let info = fetcher.store.info(&path)?;
            let missing = || Error::Io(physical.clone(), std::io::ErrorKind::NotFound.into());
            (path, info.ok_or_else(missing)?.nar_hash, newest(&physical)?)
        }
    };
    if !result.attributes.has("lastModified") {
        result.attributes.set("lastModified", Attribute::Int(modified));
    }
    Ok(Found { path, hash, input: result })
}

/// Where a path lies on the disk.
fn physical(fetcher: &Fetcher, path: &str) -> PathBuf {
    match fetcher.store.dir().parse_prefix(path) {
        Ok((store_path, rest)) => fetcher.store.physical(&store_path).join(rest.trim_start_matches('/')),
        Err(_) => PathBuf::from(path),
    }
}

fn canonical(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The newest time of modification in a tree.
fn newest(path: &Path) -> Result<u64, Error> {
    let metadata = path.symlink_metadata().at(path)?;
    let mut time = u64::try_from(metadata.mtime()).unwrap_or(0);
    if metadata.is_dir() {
        for entry in path.read_dir().at(path)? {
            time = time.max(newest(&entry.at(path)?.path())?);
        }
    }
    Ok(time)
}
