//! Bringing what a lock names.

use crate::{Error, Inputs, Lock, LockedPackage, LockedRelease};
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
    let mut downloads = Vec::new();
    for package in packages {
        downloads.push(Download {
            name: format!("{} {}", package.name, package.version),
            addresses: addresses(inputs, release, package),
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

fn addresses(inputs: &Inputs<'_>, release: &LockedRelease, package: &LockedPackage) -> Vec<String> {
    let repository = release.repositories.get(&package.repository);
    let url = repository.and_then(|repository| repository.url.as_deref());
    let at = |base: &str| format!("{}/{}", base.trim_end_matches('/'), package.path);
    if let Some(url) = url {
        return vec![at(url)];
    }
    let mirrors = &inputs.mirrors;
    let own = if package.repository.ends_with("-security") { &mirrors.security } else { &mirrors.main };
    own.iter().chain(&mirrors.past).map(|base| at(base)).collect()
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
