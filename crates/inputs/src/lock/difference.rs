//! What changes between two locks.

use super::{Lock, LockedPackage};
use std::collections::{BTreeMap, BTreeSet};

/// What changes between two locks, sorted by release and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The changes.
    pub changes: Vec<Change>,
}

/// What happens to one package of one release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The release.
    pub release: String,
    /// The package.
    pub name: String,
    /// What happens.
    pub kind: ChangeKind,
    /// True where the new version is from the repository of security updates.
    pub security: bool,
    /// The roots that have the package, before or after.
    pub roots: Vec<String>,
}

/// What happens to a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It comes, in this version.
    Added(String),
    /// It goes; this was its version.
    Removed(String),
    /// It gets a higher version.
    Upgraded {
        /// The version before.
        old: String,
        /// The version after.
        new: String,
    },
    /// It gets a lower version, or another file of the same version.
    Replaced {
        /// The version before.
        old: String,
        /// The version after.
        new: String,
    },
}

/// Compares two locks.
pub fn difference(old: &Lock, new: &Lock) -> Difference {
    let releases: BTreeSet<&String> = old.releases.keys().chain(new.releases.keys()).collect();
    let mut changes = Vec::new();
    for release in releases {
        let (before, after) = (by_name(old, release), by_name(new, release));
        let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
        for name in names {
            let (before, after) = (before.get(name).copied(), after.get(name).copied());
            let Some(kind) = compare(before, after) else { continue };
            let roots =
                [old, new].iter().flat_map(|lock| roots_with(lock, release, name)).collect::<BTreeSet<_>>();
            changes.push(Change {
                release: release.clone(),
                name: name.to_owned(),
                kind,
                security: after.is_some_and(|package| package.repository.ends_with("-security")),
                roots: roots.into_iter().collect(),
            });
        }
    }
    Difference { changes }
}

/// The packages of a release, of several versions the highest.
fn by_name<'l>(lock: &'l Lock, release: &str) -> BTreeMap<&'l str, &'l LockedPackage> {
    let mut all: BTreeMap<&str, &LockedPackage> = BTreeMap::new();
    for package in lock.releases.get(release).map_or(&[][..], |release| &release.packages) {
        let known = all.entry(&package.name).or_insert(package);
        if nival_debian::compare_versions(&package.version, &known.version).is_gt() {
            *known = package;
        }
    }
    all
}

fn compare(before: Option<&LockedPackage>, after: Option<&LockedPackage>) -> Option<ChangeKind> {
    match (before, after) {
        (None, None) => None,
        (None, Some(after)) => Some(ChangeKind::Added(after.version.clone())),
        (Some(before), None) => Some(ChangeKind::Removed(before.version.clone())),
        (Some(before), Some(after)) if before.version == after.version && before.sha256 == after.sha256 => {
            None
        }
        (Some(before), Some(after)) => {
            let (old, new) = (before.version.clone(), after.version.clone());
            let higher = nival_debian::compare_versions(&new, &old).is_gt();
            Some(if higher { ChangeKind::Upgraded { old, new } } else { ChangeKind::Replaced { old, new } })
        }
    }
}

fn roots_with(lock: &Lock, release: &str, name: &str) -> Vec<String> {
    let has = |text: &String| text == name || text.split_once('=').is_some_and(|(known, _)| known == name);
    lock.roots
        .iter()
        .filter(|(_, root)| root.release == release && root.packages.iter().any(has))
        .map(|(root, _)| root.clone())
        .collect()
}
