//! The lock: which packages, from which repositories, for which roots.
//!
//! A lock is JSON with one line for each package, sorted, so that a diff reads like a
//! list of what changed. It names no host for Debian's own repositories, and holds all
//! that is needed to fetch the packages: no index is read with a lock in hand.

mod difference;
mod read;
mod write;

pub use difference::{Change, ChangeKind, Difference, difference};

use crate::{Error, Repository, RootRequest};
use nival_sys::fs;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;

/// The version of the format that is written.
const FORMAT: u32 = 1;

/// What is locked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// By the name of the release.
    pub releases: BTreeMap<String, LockedRelease>,
    /// By name.
    pub roots: BTreeMap<String, LockedRoot>,
}

/// What is locked of one release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockedRelease {
    /// The architecture, in Debian's words.
    pub architecture: String,
    /// By name.
    pub repositories: BTreeMap<String, LockedRepository>,
    /// Sorted by name, then version and architecture.
    pub packages: Vec<LockedPackage>,
    /// Source packages, sorted by name and version.
    pub sources: Vec<LockedSource>,
}

/// A repository that packages were locked from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockedRepository {
    /// The suite.
    pub suite: String,
    /// The address; none for Debian's own.
    pub url: Option<String>,
    /// The SHA-256 of the public keys; none for Debian's own.
    pub key: Option<String>,
    /// When the indices were made that packages were locked from, in seconds since 1970, the newest first.
    pub dates: Vec<i64>,
    /// Where the repository says that its past packages are, with `@SNAPSHOTID@` for the time.
    pub snapshots: Option<String>,
}

/// One locked package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedPackage {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// The architecture of the file.
    pub architecture: String,
    /// The repository, a name of [`LockedRelease::repositories`].
    pub repository: String,
    /// The path within the repository.
    pub path: String,
    /// The size in bytes.
    pub size: u64,
    /// The SHA-256, as lower-case hex digits.
    pub sha256: String,
}

/// One locked source package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedSource {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// The repository, a name of [`LockedRelease::repositories`].
    pub repository: String,
    /// Its files, sorted by path: one `.dsc`, and the archives that it names.
    pub files: Vec<LockedFile>,
}

/// A file of a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedFile {
    /// The path within the repository.
    pub path: String,
    /// The size in bytes.
    pub size: u64,
    /// The SHA-256, as lower-case hex digits.
    pub sha256: String,
}

/// What one root was locked to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockedRoot {
    /// The release, a name of [`Lock::releases`].
    pub release: String,
    /// What was asked for.
    pub requests: Vec<String>,
    /// True where recommended packages were wanted.
    pub recommends: bool,
    /// The source packages that were asked for: `NAME`, or `NAME=VERSION`.
    pub sources: Vec<String>,
    /// The packages, sorted: `NAME`, or `NAME=VERSION` where the release has several versions of it.
    pub packages: Vec<String>,
}

impl Lock {
    /// Reads a lock; `None` where there is no such file.
    ///
    /// # Errors
    /// A file that cannot be read or is no lock.
    pub fn read(path: &Path) -> Result<Option<Self>, Error> {
        match std::fs::read(path) {
            Ok(bytes) => Self::parse(&bytes, path).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::disk(path, error)),
        }
    }

    /// Reads the text of a lock; `path` is for messages.
    ///
    /// # Errors
    /// What is no lock, with the line.
    pub fn parse(text: &[u8], path: &Path) -> Result<Self, Error> {
        read::parse(text).map_err(|(line, reason)| Error::Lock { path: path.to_owned(), line, reason })
    }

    /// The text of the lock.
    pub fn text(&self) -> String {
        write::text(self)
    }

    /// Writes the lock in place of what was there, whole or not at all.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        fs::write_atomic(path, self.text().as_bytes(), 0o644).map_err(|error| Error::disk(path, error))
    }

    /// True where nothing has to be resolved for these requests.
    pub fn covers(&self, requests: &[RootRequest], further: &[Repository]) -> bool {
        requests.iter().all(|request| self.covers_one(request, further))
    }

    pub(crate) fn covers_one(&self, request: &RootRequest, further: &[Repository]) -> bool {
        let Some(root) = self.roots.get(&request.name) else { return false };
        let Some(release) = self.releases.get(&request.release) else { return false };
        let known: Vec<_> =
            release.repositories.iter().filter(|(_, repository)| repository.url.is_some()).collect();
        let same = |repository: &Repository| {
            release.repositories.get(&repository.name).is_some_and(|locked| locked.is_of(repository))
        };
        root.release == request.release
            && root.requests == request.packages
            && root.recommends == request.recommends
            && root.sources == request.sources
            && known.len() == further.len()
            && further.iter().all(same)
    }

    /// The packages of a root, sorted by name; none for a root that is not locked.
    pub fn packages_of(&self, root: &str) -> Vec<&LockedPackage> {
        let Some(root) = self.roots.get(root) else { return Vec::new() };
        let Some(release) = self.releases.get(&root.release) else { return Vec::new() };
        root.packages.iter().filter_map(|text| release.find(text)).collect()
    }

    /// Forgets all roots but these, and the packages that only others had.
    pub fn retain_roots(&mut self, names: &BTreeSet<String>) {
        self.roots.retain(|name, _| names.contains(name));
        self.forget_unused();
    }

    /// Forgets packages that no root has, and releases that are left without any.
    pub(crate) fn forget_unused(&mut self) {
        let roots = &self.roots;
        for (name, release) in &mut self.releases {
            let texts: BTreeSet<&str> = roots
                .values()
                .filter(|root| root.release == *name)
                .flat_map(|root| root.packages.iter().map(String::as_str))
                .collect();
            release.packages.retain(|package| {
                texts.contains(package.name.as_str()) || texts.contains(package.with_version().as_str())
            });
            let wanted: BTreeSet<&LockedSource> = roots
                .values()
                .filter(|root| root.release == *name)
                .flat_map(|root| root.sources.iter().filter_map(|text| release.find_source(text)))
                .collect();
            let wanted: Vec<LockedSource> = wanted.into_iter().cloned().collect();
            release.sources = wanted;
        }
        self.releases.retain(|_, release| !release.packages.is_empty() || !release.sources.is_empty());
    }
}

impl LockedRelease {
    /// Finds a package by `NAME` or `NAME=VERSION`.
    pub fn find(&self, text: &str) -> Option<&LockedPackage> {
        let (name, version) =
            text.split_once('=').map_or((text, None), |(name, version)| (name, Some(version)));
        let start = self.packages.partition_point(|package| package.name.as_str() < name);
        let mut same = self.packages[start..].iter().take_while(|package| package.name == name);
        same.find(|package| version.is_none_or(|version| package.version == version))
    }

    /// Finds a source package by `NAME` or `NAME=VERSION`; the newest one where there are several.
    pub fn find_source(&self, text: &str) -> Option<&LockedSource> {
        let (name, version) =
            text.split_once('=').map_or((text, None), |(name, version)| (name, Some(version)));
        let same = self.sources.iter().filter(|source| source.name == name);
        same.filter(|source| version.is_none_or(|version| source.version == version))
            .max_by(|a, b| nival_debian::compare_versions(&a.version, &b.version))
    }
}

impl LockedPackage {
    /// `NAME=VERSION`
    pub fn with_version(&self) -> String {
        format!("{}={}", self.name, self.version)
    }
}

impl Repository {
    pub(crate) fn locked(&self) -> LockedRepository {
        let key: String = Sha256::digest(&self.key).iter().map(|byte| format!("{byte:02x}")).collect();
        LockedRepository {
            suite: self.suite.clone(),
            url: Some(self.url.clone()),
            key: Some(key),
            ..LockedRepository::default()
        }
    }
}

impl LockedRepository {
    /// The dates, as a lock has them.
    pub fn date_texts(&self) -> Vec<String> {
        self.dates.iter().filter_map(|date| write::date_text(*date)).collect()
    }

    /// Reads dates as a lock has them; what is none is left out.
    pub fn dates_of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<i64> {
        let times = texts.into_iter().filter_map(|text| text.parse::<jiff::Timestamp>().ok());
        times.map(|time| time.as_second()).collect()
    }

    /// True where this is what was locked of a repository, whenever that was.
    fn is_of(&self, repository: &Repository) -> bool {
        let LockedRepository { suite, url, key, .. } = repository.locked();
        self.suite == suite && self.url == url && self.key == key
    }
}
