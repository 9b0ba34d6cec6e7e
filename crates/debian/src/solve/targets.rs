//! Which versions can fulfil a dependency, the preferred one first.

use super::state::{CANDIDATE, State};
use crate::universe::{DependencyId, PackageId, VersionId};
use std::cmp::Ordering;
use std::ops::Range;

impl State<'_, '_> {
    /// The candidates that fulfil one of the alternatives (or that a conflict forbids):
    /// alternatives in their order, the providers of each by [`compare_providers`](Self::compare_providers).
    pub(super) fn possible_solutions(&self, group: &Range<u32>) -> Vec<VersionId> {
        let mut all = Vec::new();
        for id in group.clone().map(DependencyId) {
            let mut some = self.candidates_for(id);
            let target = self.universe.dependency(id).target;
            some.sort_by(|a, b| self.compare_providers(target, *a, *b));
            all.append(&mut some);
        }
        all.dedup();
        if !self.kind(group).is_negative() {
            all.retain(|version| {
                let state = self.get(self.universe.version(*version).package);
                !state.protected || state.marked
            });
        }
        all
    }

    /// Like [`possible_solutions`](Self::possible_solutions), in the order of the indices.
    pub(super) fn possible_solutions_unordered(&self, group: &Range<u32>) -> Vec<VersionId> {
        let mut all = self.possible_solutions(group);
        all.sort_unstable();
        all.dedup();
        all
    }

    fn candidates_for(&self, id: DependencyId) -> Vec<VersionId> {
        let mut all = Vec::new();
        if self.met(id) & CANDIDATE == 0 {
            return all;
        }
        let dependency = self.universe.dependency(id);
        let negative = dependency.kind.is_negative();
        let parent = self.universe.version(dependency.parent).package;
        if let Some(version) = self.get(dependency.target).candidate
            && !(negative && parent == dependency.target)
            && self.satisfies(id, version)
        {
            all.push(version);
        }
        for provide in self.universe.provided(dependency.target) {
            let owner = self.universe.version(provide.owner).package;
            if !(negative && owner == parent)
                && self.get(owner).candidate == Some(provide.owner)
                && dependency.operator.holds(provide.version, dependency.version)
            {
                all.push(provide.owner);
            }
        }
        all
    }

    /// Apt's order of those that provide the same: what is protected, the package of that name
    /// itself, essential, important, of higher priority, and at last what the indices mention later.
    fn compare_providers(&self, target: PackageId, a: VersionId, b: VersionId) -> Ordering {
        let (a, b) = (self.universe.version(a), self.universe.version(b));
        let (first, second) = (self.universe.package(a.package), self.universe.package(b.package));
        let prefer = |a: bool, b: bool| b.cmp(&a);
        prefer(self.get(a.package).protected, self.get(b.package).protected)
            .then_with(|| prefer(a.package == target, b.package == target))
            .then_with(|| prefer(first.essential, second.essential))
            .then_with(|| prefer(first.important, second.important))
            .then_with(|| a.priority.cmp(&b.priority))
            .then_with(|| b.package.cmp(&a.package))
    }

    /// All versions of all packages that a relation names, apart from the package that has it.
    pub(super) fn all_targets(&self, id: DependencyId) -> Vec<VersionId> {
        let dependency = self.universe.dependency(id);
        let negative = dependency.kind.is_negative();
        let parent = self.universe.version(dependency.parent).package;
        let mut all = Vec::new();
        if !(negative && parent == dependency.target) {
            let versions = self.universe.versions_of(dependency.target).iter();
            all.extend(versions.copied().filter(|version| self.satisfies(id, *version)));
        }
        for provide in self.universe.provided(dependency.target) {
            let owner = self.universe.version(provide.owner).package;
            if !(negative && owner == parent)
                && dependency.operator.holds(provide.version, dependency.version)
            {
                all.push(provide.owner);
            }
        }
        all
    }

    /// The package that a dependency is on, or the only one that provides it.
    pub(super) fn smart_target(&self, id: DependencyId) -> PackageId {
        let dependency = self.universe.dependency(id);
        let target = dependency.target;
        if !self.universe.versions_of(target).is_empty() {
            return target;
        }
        let parent = self.universe.version(dependency.parent).package;
        let mut owners =
            self.universe.provided(target).map(|provide| self.universe.version(provide.owner).package);
        owners.find(|owner| *owner != parent).unwrap_or(target)
    }
}
