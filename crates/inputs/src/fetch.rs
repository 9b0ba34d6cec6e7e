//! Bringing what a lock names.

use crate::{Error, Inputs, Lock, LockedPackage, LockedRepository, Mirrors};
use nival_sys::fs;
use nival_transport::{Download, Progress};
use std::path::{Path, PathBuf};

/// Fetches packages of a release into a folder as `SHA256.deb`, and returns their paths in the same order.
///
/// What is there already is only checked, so that no network is needed for it.
///
/// # Errors
/// A package that is gone from every mirror, a transfer that failed, or a folder that cannot be written.
pub fn fetch(
    inputs: &Inputs<'_>,
    lock: &Lock,
    release: &str,
    packages: &[&LockedPackage],
    folder: &Path,
    progress: &dyn Progress,
) -> Result<Vec<PathBuf>, Error> {
    let release = lock.releases.get(release).ok_or_else(|| Error::UnknownRelease(release.to_owned()))?;
    fs::create_dir_all(folder).map_err(|error| Error::disk(folder, error))?;
    let empty = LockedRepository::default();
    let mut downloads = Vec::new();
    for package in packages {
        downloads.push(Download {
            name: format!("{} {}", package.name, package.version),
            addresses: {
                let repository = release.repositories.get(&package.repository).unwrap_or(&empty);
                file_addresses(&inputs.mirrors, &package.repository, repository, &package.path)
            },
            size: Some(package.size),
            sha256: sha256(&package.sha256),
            to: folder.join(format!("{}.deb", package.sha256)),
        });
    }
    if downloads.iter().any(|download| download.addresses.is_empty() && !download.to.exists()) {
        return Err(Error::NoMirror);
    }
    inputs.transport.download_all(&downloads, progress).map_err(|error| explain(error, packages))?;
    Ok(downloads.into_iter().map(|download| download.to).collect())
}

/// After the release's own time the archive of past packages takes its picture, at the latest after these seconds.
const SNAPSHOT_DELAY: i64 = 6 * 3_600;

/// What stands for the time in the address of an archive of past packages, as in apt's settings.
const SNAPSHOT_ID: &str = "@SNAPSHOTID@";

/// Where a file of a locked repository may be, in the order in which it is tried; `path` is the one within the
/// repository.
pub fn file_addresses(
    mirrors: &Mirrors,
    name: &str,
    repository: &LockedRepository,
    path: &str,
) -> Vec<String> {
    let own = match &repository.url {
        Some(url) => std::slice::from_ref(url),
        None if name.ends_with("-security") => &mirrors.security,
        None => &mirrors.main,
    };
    let past = repository.url.is_none().then_some(&mirrors.past).into_iter().flatten();
    let past = past.chain(&repository.snapshots).flat_map(|template| snapshots(template, &repository.dates));
    let bases = own.iter().cloned().chain(past);
    bases.map(|base| format!("{}/{}", base.trim_end_matches('/'), path)).collect()
}

/// The addresses of an archive of past packages at the times of the indices: soon after them, and just then.
fn snapshots(template: &str, dates: &[i64]) -> Vec<String> {
    if !template.contains(SNAPSHOT_ID) {
        return vec![template.to_owned()];
    }
    let times = dates.iter().flat_map(|date| [date + SNAPSHOT_DELAY, *date]);
    times.filter_map(nival_debian::snapshot_name).map(|name| template.replace(SNAPSHOT_ID, &name)).collect()
}

fn explain(error: nival_transport::Error, packages: &[&LockedPackage]) -> Error {
    let nival_transport::Error::Unavailable { name, .. } = &error else { return Error::Transport(error) };
    let gone = packages
        .iter()
        .find(|package| error.is_gone() && *name == format!("{} {}", package.name, package.version));
    match gone {
        Some(package) => {
            Error::Gone { package: package.name.clone(), version: package.version.clone(), source: error }
        }
        None => Error::Transport(error),
    }
}

pub(crate) fn sha256(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 64 {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}
