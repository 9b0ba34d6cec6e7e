//! The order of the answer: each package after what it depends on.

use super::state::State;
use crate::universe::{DependencyKind, PackageId, VersionId};

/// Orders chosen versions by dependency; where they depend on each other in a circle, by name.
pub(super) fn by_dependency(state: &State<'_, '_>, installed: &[(PackageId, VersionId)]) -> Vec<VersionId> {
    let mut names: Vec<(PackageId, VersionId)> = installed.to_vec();
    names.sort_by_key(|(package, _)| state.universe.plain_name(*package));
    let mut seen = vec![false; state.packages.len()];
    let mut ordered = Vec::with_capacity(installed.len());
    for (package, version) in names {
        visit(state, package, version, &mut seen, &mut ordered);
    }
    ordered
}

fn visit(
    state: &State<'_, '_>,
    package: PackageId,
    version: VersionId,
    seen: &mut [bool],
    ordered: &mut Vec<VersionId>,
) {
    let needs = |version| needs(state, version).into_iter();
    let mut stack = Vec::new();
    if !std::mem::replace(&mut seen[package.0 as usize], true) {
        stack.push((version, needs(version)));
    }
    while let Some((version, rest)) = stack.last_mut() {
        match rest.next() {
            Some((package, next)) => {
                if !std::mem::replace(&mut seen[package.0 as usize], true) {
                    stack.push((next, needs(next)));
                }
            }
            None => {
                ordered.push(*version);
                stack.pop();
            }
        }
    }
}

/// What is chosen of what a version depends on, by name.
fn needs(state: &State<'_, '_>, version: VersionId) -> Vec<(PackageId, VersionId)> {
    let mut all = Vec::new();
    for id in state.universe.dependency_ids(version) {
        let dependency = state.universe.dependency(id);
        if !matches!(dependency.kind, DependencyKind::Depends | DependencyKind::PreDepends) {
            continue;
        }
        for target in state.all_targets(id) {
            let package = state.universe.version(target).package;
            if state.get(package).install == Some(target) {
                all.push((package, target));
            }
        }
    }
    all.sort_by_key(|(package, _)| state.universe.plain_name(*package));
    all.dedup();
    all
}
