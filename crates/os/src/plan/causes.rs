//! The differences between two manifests that are causes: files, packages, definitions.

use super::{Change, DefinitionChange, FileChange, PackageChange, Patch, PortChange};
use crate::Manifest;
use crate::manifest::{FileDefinition, Origin, Root};
use std::collections::{BTreeMap, BTreeSet};

/// All names of two maps, sorted.
pub(super) fn names<'a, V>(old: &'a BTreeMap<String, V>, new: &'a BTreeMap<String, V>) -> BTreeSet<&'a str> {
    old.keys().chain(new.keys()).map(String::as_str).collect()
}

/// The generated files of the machine's own root that differ; links that stand for choices are among them.
pub(super) fn files(old: &Root, new: &Root) -> Vec<FileChange> {
    let same = |a: &FileDefinition, b: &FileDefinition| {
        (&a.content, &a.mode, &a.user, &a.group) == (&b.content, &b.mode, &b.user, &b.group)
    };
    let mut changes: Vec<FileChange> = names(&old.files, &new.files)
        .into_iter()
        .filter_map(|path| change(old.files.get(path), new.files.get(path), same).map(|c| (path, c)))
        .chain(names(&old.alternatives, &new.alternatives).into_iter().filter_map(|path| {
            change(old.alternatives.get(path), new.alternatives.get(path), |a, b| a == b).map(|c| (path, c))
        }))
        .map(|(path, change)| FileChange { path: path.to_owned(), change })
        .collect();
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

fn change<T>(old: Option<&T>, new: Option<&T>, same: impl Fn(&T, &T) -> bool) -> Option<Change> {
    match (old, new) {
        (None, Some(_)) => Some(Change::Added),
        (Some(_), None) => Some(Change::Removed),
        (Some(old), Some(new)) if !same(old, new) => Some(Change::Changed),
        _ => None,
    }
}

/// The packages of one root that differ, by store path.
pub(super) fn packages(old: Option<&Root>, new: Option<&Root>, name: &str) -> Vec<PackageChange> {
    let by_name = |root: Option<&Root>| -> BTreeMap<(String, String), (String, String)> {
        let packages = root.map(|root| root.packages.as_slice()).unwrap_or_default();
        let entry = |package: &crate::manifest::Package| {
            let key = (package.name.clone(), package.architecture.clone());
            (key, (package.version.clone(), package.path.clone()))
        };
        packages.iter().map(entry).collect()
    };
    let (old, new) = (by_name(old), by_name(new));
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    keys.into_iter()
        .filter(|key| old.get(*key).map(|package| &package.1) != new.get(*key).map(|package| &package.1))
        .map(|key| PackageChange {
            name: key.0.clone(),
            old: old.get(key).map(|package| package.0.clone()),
            new: new.get(key).map(|package| package.0.clone()),
            root: name.to_owned(),
        })
        .collect()
}

/// The ports that come and go.
pub(super) fn ports(old: &Manifest, new: &Manifest) -> Vec<PortChange> {
    let gone = old.ports.iter().filter(|port| !new.ports.contains(port)).map(|port| (port, Change::Removed));
    let come = new.ports.iter().filter(|port| !old.ports.contains(port)).map(|port| (port, Change::Added));
    gone.chain(come)
        .map(|(port, change)| PortChange {
            port: port.port,
            protocol: port.protocol,
            unit: port.unit.clone(),
            change,
        })
        .collect()
}

/// The user's definitions that differ in value.
pub(super) fn definitions(old: &Manifest, new: &Manifest) -> Vec<DefinitionChange> {
    names(&old.definitions, &new.definitions)
        .into_iter()
        .filter_map(|option| {
            let (before, after) = (old.definitions.get(option), new.definitions.get(option));
            if before.map(|d| &d.value) == after.map(|d| &d.value) {
                return None;
            }
            Some(DefinitionChange {
                patch: Patch::of(option),
                option: option.to_owned(),
                old: before.map(|d| d.value.clone()),
                new: after.map(|d| d.value.clone()),
                origin: after.or(before).map(|d| d.origin.clone()).unwrap_or_default(),
            })
        })
        .collect()
}

/// The definitions below any of the prefixes.
pub(super) fn below<'a>(
    definitions: &[DefinitionChange],
    prefixes: impl IntoIterator<Item = &'a String>,
) -> Vec<DefinitionChange> {
    let prefixes: BTreeSet<&String> = prefixes.into_iter().collect();
    let inside = |option: &str, prefix: &str| {
        option.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    definitions
        .iter()
        .filter(|definition| prefixes.iter().any(|prefix| inside(&definition.option, prefix)))
        .cloned()
        .collect()
}

/// The names of packages and of all that they need, within one root.
pub(super) fn closure(root: &Root, start: &[String]) -> BTreeSet<String> {
    let mut by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in &root.packages {
        by_name.entry(&package.name).or_default().extend(package.depends.iter().map(String::as_str));
    }
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = start.iter().map(String::as_str).collect();
    while let Some(name) = open.pop() {
        if found.insert(name.to_owned()) {
            open.extend(by_name.get(name).into_iter().flatten().copied());
        }
    }
    found
}

/// Where a generated file is defined, in the new manifest or else in the old one.
pub(super) fn file_origin(old: &Root, new: &Root, path: &str) -> Vec<Origin> {
    new.files.get(path).or_else(|| old.files.get(path)).map(|file| file.origin.clone()).unwrap_or_default()
}
