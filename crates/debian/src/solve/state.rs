//! What is to be installed so far, and which dependencies that fulfils.
//!
//! The state of a dependency is remembered and brought up to date only when apt does
//! so: on a change of its target or of a provider of its target. That a candidate was
//! given up in between is not seen at once, and decisions of apt rest on that.

use crate::universe::{DependencyId, DependencyKind, PackageId, Universe, VersionId};
use std::cell::Cell;
use std::ops::Range;

/// The dependency is fulfilled by what is to be installed.
pub(super) const INSTALL: u8 = 1;
/// The dependency is fulfilled by candidates.
pub(super) const CANDIDATE: u8 = 2;
const KNOWN: u8 = 4;

/// What is decided about one package.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PackageState {
    /// The version that would be installed.
    pub(super) candidate: Option<VersionId>,
    /// The version that is to be installed.
    pub(super) install: Option<VersionId>,
    /// True where it was marked for installation, false where it is kept away.
    pub(super) marked: bool,
    /// True where no other decision may change it.
    pub(super) protected: bool,
    /// True where nobody asked for it by name.
    pub(super) automatic: bool,
    /// The dependency that brought it in first.
    pub(super) because: Option<DependencyId>,
}

/// A version that was given up, and the dependency of it that could not be fulfilled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Discarded {
    pub(super) version: VersionId,
    pub(super) dependency: DependencyId,
}

/// All decisions so far.
#[derive(Clone, Debug)]
pub(super) struct State<'u, 't> {
    pub(super) universe: &'u Universe<'t>,
    pub(super) recommends: bool,
    pub(super) packages: Vec<PackageState>,
    pub(super) discarded: Vec<Discarded>,
    initial: Vec<Option<VersionId>>,
    dependencies: Vec<Cell<u8>>,
    touched: Vec<PackageId>,
}

impl<'u, 't> State<'u, 't> {
    pub(super) fn new(
        universe: &'u Universe<'t>,
        recommends: bool,
        candidates: Vec<Option<VersionId>>,
    ) -> Self {
        let packages = candidates
            .iter()
            .map(|candidate| PackageState { candidate: *candidate, ..Default::default() })
            .collect();
        Self {
            universe,
            recommends,
            packages,
            discarded: Vec::new(),
            initial: candidates,
            dependencies: vec![Cell::new(0); universe.dependency_count()],
            touched: Vec::new(),
        }
    }

    pub(super) fn get(&self, package: PackageId) -> &PackageState {
        &self.packages[package.0 as usize]
    }

    pub(super) fn get_mut(&mut self, package: PackageId) -> &mut PackageState {
        &mut self.packages[package.0 as usize]
    }

    /// The packages that are to be installed, by number.
    pub(super) fn installed(&self) -> Vec<(PackageId, VersionId)> {
        let mut all: Vec<_> =
            self.touched.iter().filter_map(|package| Some((*package, self.get(*package).install?))).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    pub(super) fn set_install(&mut self, package: PackageId, install: Option<VersionId>, marked: bool) {
        self.touched.push(package);
        let state = self.get_mut(package);
        state.install = install;
        state.marked = marked;
        self.update(package);
    }

    /// Brings the states of the dependencies that a package can fulfil up to date.
    pub(super) fn update(&self, package: PackageId) {
        self.update_dependencies_on(package);
        if let Some(candidate) = self.get(package).candidate {
            for provide in self.universe.provided_by(candidate) {
                self.update_dependencies_on(provide.package);
            }
        }
    }

    fn update_dependencies_on(&self, target: PackageId) {
        for id in self.universe.reverse_dependencies(target) {
            let install = self.check(*id, |package| self.get(package).install);
            let candidate = self.check(*id, |package| self.get(package).candidate);
            let bits = KNOWN | if install { INSTALL } else { 0 } | if candidate { CANDIDATE } else { 0 };
            self.dependencies[id.0 as usize].set(bits);
        }
    }

    /// Which of [`INSTALL`] and [`CANDIDATE`] have a version that the relation names;
    /// for a conflict that is what must not be.
    pub(super) fn met(&self, id: DependencyId) -> u8 {
        let cell = &self.dependencies[id.0 as usize];
        if cell.get() & KNOWN == 0 {
            let candidate = self.check(id, |package| self.initial[package.0 as usize]);
            cell.set(KNOWN | if candidate { CANDIDATE } else { 0 });
        }
        cell.get() & (INSTALL | CANDIDATE)
    }

    fn check(&self, id: DependencyId, chosen: impl Fn(PackageId) -> Option<VersionId>) -> bool {
        let dependency = self.universe.dependency(id);
        let parent = self.universe.version(dependency.parent).package;
        let negative = dependency.kind.is_negative();
        if !(negative && parent == dependency.target)
            && chosen(dependency.target).is_some_and(|version| self.satisfies(id, version))
        {
            return true;
        }
        self.universe.provided(dependency.target).any(|provide| {
            let owner = self.universe.version(provide.owner).package;
            !(negative && owner == parent)
                && chosen(owner) == Some(provide.owner)
                && dependency.operator.holds(provide.version, dependency.version)
        })
    }

    /// True where a version of the target itself is one that the relation names.
    pub(super) fn satisfies(&self, id: DependencyId, version: VersionId) -> bool {
        let dependency = self.universe.dependency(id);
        dependency.operator.holds(self.universe.version(version).version, dependency.version)
    }

    /// The dependencies of a version, alternatives together.
    pub(super) fn groups(&self, version: VersionId) -> Groups<'u, 't> {
        let range = self.universe.version(version).dependencies.clone();
        Groups { universe: self.universe, rest: range }
    }

    /// True where a dependency decides whether its package is chosen at all.
    pub(super) fn is_important(&self, kind: DependencyKind) -> bool {
        kind.is_critical() || (kind == DependencyKind::Recommends && self.recommends)
    }

    /// True where what is to be installed fulfils the alternatives.
    pub(super) fn holds(&self, group: &Range<u32>) -> bool {
        let met = group.clone().any(|id| self.met(DependencyId(id)) & INSTALL != 0);
        met != self.kind(group).is_negative()
    }

    pub(super) fn kind(&self, group: &Range<u32>) -> DependencyKind {
        self.universe.dependency(DependencyId(group.start)).kind
    }

    /// True where a package is to be installed and a dependency that must hold does not.
    pub(super) fn is_broken(&self, package: PackageId) -> bool {
        self.breaks(package, DependencyKind::is_critical)
    }

    /// Like [`is_broken`](Self::is_broken), with recommendations where they are wanted.
    pub(super) fn is_policy_broken(&self, package: PackageId) -> bool {
        self.breaks(package, |kind| self.is_important(kind))
    }

    fn breaks(&self, package: PackageId, counts: impl Fn(DependencyKind) -> bool) -> bool {
        let Some(version) = self.get(package).install else { return false };
        self.groups(version).any(|group| counts(self.kind(&group)) && !self.holds(&group))
    }

    pub(super) fn broken_count(&self) -> usize {
        self.installed().into_iter().filter(|(package, _)| self.is_broken(*package)).count()
    }
}

/// The dependencies of one version, alternatives together; see [`State::groups`].
#[derive(Clone, Debug)]
pub(super) struct Groups<'u, 't> {
    universe: &'u Universe<'t>,
    rest: Range<u32>,
}

impl Iterator for Groups<'_, '_> {
    type Item = Range<u32>;

    fn next(&mut self) -> Option<Range<u32>> {
        let start = self.rest.start;
        if start >= self.rest.end {
            return None;
        }
        let mut end = start;
        while end + 1 < self.rest.end && self.universe.dependency(DependencyId(end)).or {
            end += 1;
        }
        self.rest.start = end + 1;
        Some(start..end + 1)
    }
}
