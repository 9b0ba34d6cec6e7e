//! Which version of a package is taken, and which packages a request names.

use super::state::State;
use super::{Pin, RequestError};
use crate::compare_versions;
use crate::universe::{PackageId, Universe, VersionId};
use std::cmp::Ordering;

/// How many near names are told.
const NEAREST: usize = 5;

/// The version of each package with the highest priority, and of those the highest version.
pub(super) fn choose(universe: &Universe<'_>, pins: &[Pin]) -> Vec<Option<VersionId>> {
    universe.package_ids().map(|package| choose_version(universe, pins, package)).collect()
}

fn choose_version(universe: &Universe<'_>, pins: &[Pin], package: PackageId) -> Option<VersionId> {
    let versions = universe.versions_of(package);
    let name = universe.plain_name(package);
    let pins: Vec<&Pin> = if versions.is_empty() {
        Vec::new()
    } else {
        pins.iter().filter(|pin| pin.package == name).collect()
    };
    let mut best: Option<(i32, VersionId)> = None;
    for id in versions {
        let priority = priority(universe, &pins, *id);
        if priority > 0 && best.is_none_or(|(known, _)| priority > known) {
            best = Some((priority, *id));
        }
    }
    best.map(|(_, id)| id)
}

fn priority(universe: &Universe<'_>, pins: &[&Pin], id: VersionId) -> i32 {
    let version = universe.version(id);
    let names = |pin: &&&Pin| {
        pin.version
            .as_deref()
            .is_none_or(|wanted| compare_versions(wanted, version.version) == Ordering::Equal)
            && pin.repository.is_none_or(|repository| version.repositories.contains(&repository))
    };
    match pins.iter().find(names) {
        Some(pin) => pin.priority,
        None => version.repositories.iter().map(|r| universe.repository(*r).priority).max().unwrap_or(0),
    }
}

/// The packages that every system needs, with their candidates.
pub(super) fn essential(state: &State<'_, '_>) -> Vec<(PackageId, VersionId)> {
    let universe = state.universe;
    let ids = universe.package_ids().filter(|package| universe.package(*package).essential);
    ids.filter_map(|package| Some((package, state.get(package).candidate?))).collect()
}

/// Finds the package and version that a request such as `nginx` or `nginx=1.26.3-3` names.
pub(super) fn read_request(
    state: &State<'_, '_>,
    text: &str,
) -> Result<(PackageId, VersionId), RequestError> {
    let universe = state.universe;
    let (name, version) = text.split_once('=').map_or((text, None), |(name, version)| (name, Some(version)));
    let bare = name.strip_suffix(&format!(":{}", universe.architecture())).unwrap_or(name);
    let unknown = || RequestError::Unknown { name: name.to_owned(), nearest: nearest(universe, bare) };
    let mut package = universe.find(bare).ok_or_else(unknown)?;
    if universe.versions_of(package).is_empty() {
        let owners = universe.providers_of(package);
        let fit: Vec<PackageId> =
            owners.into_iter().filter(|owner| state.get(*owner).candidate.is_some()).collect();
        package = match fit.as_slice() {
            [] => return Err(unknown()),
            [only] => *only,
            several => {
                let providers = several.iter().map(|owner| universe.name(*owner)).collect();
                return Err(RequestError::Virtual { name: name.to_owned(), providers });
            }
        };
    }
    let found = match version {
        None => {
            state.get(package).candidate.ok_or_else(|| RequestError::NoCandidate { name: name.to_owned() })?
        }
        Some(wanted) => find_version(universe, package, wanted).ok_or_else(|| RequestError::NoVersion {
            name: name.to_owned(),
            version: wanted.to_owned(),
            available: universe
                .versions_of(package)
                .iter()
                .map(|id| universe.version(*id).version.to_owned())
                .collect(),
        })?,
    };
    Ok((package, found))
}

fn find_version(universe: &Universe<'_>, package: PackageId, wanted: &str) -> Option<VersionId> {
    let same = |id: &&VersionId| compare_versions(universe.version(**id).version, wanted) == Ordering::Equal;
    universe.versions_of(package).iter().find(same).copied()
}

/// Names that look like `name`, the nearest first.
fn nearest(universe: &Universe<'_>, name: &str) -> Vec<String> {
    let wanted = name.to_ascii_lowercase();
    let mut all: Vec<(i64, &str)> = universe
        .package_names()
        .filter(|known| known.len().abs_diff(wanted.len()) <= 2 + wanted.len() / 2)
        .map(|known| ((strsim::jaro_winkler(&wanted, known) * 1e6) as i64, known))
        .filter(|(score, _)| *score > 820_000)
        .collect();
    all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    all.into_iter().take(NEAREST).map(|(_, known)| known.to_owned()).collect()
}
