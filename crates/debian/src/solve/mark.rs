//! Marking packages for installation with what they need, as apt's dependency cache does.

use super::state::{CANDIDATE, Discarded, INSTALL, State};
use crate::universe::{DependencyId, PackageId, VersionId};
use std::ops::Range;

/// How deep packages may ask for each other before that is given up.
const MAX_DEPTH: u32 = 3000;
const STACK_LEFT: usize = 128 * 1024;
const STACK_MORE: usize = 4 * 1024 * 1024;

/// What a package is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Install,
    Keep,
    Delete,
}

/// Who asks for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The user, by name: always allowed.
    User,
    /// A dependency, or the repair of one.
    Solver,
}

impl State<'_, '_> {
    fn is_change_allowed(&self, package: PackageId, mode: Mode, depth: u32, by: By) -> bool {
        if depth > MAX_DEPTH || self.universe.versions_of(package).is_empty() {
            return false;
        }
        let state = self.get(package);
        let same = match mode {
            Mode::Install => state.marked,
            Mode::Keep => !state.marked,
            Mode::Delete => false,
        };
        if by == By::User || same {
            return true;
        }
        let facts = self.universe.package(package);
        !state.protected && !(mode == Mode::Delete && (facts.essential || facts.important))
    }

    /// Takes a package out again; false where that is not allowed.
    pub(super) fn mark_keep(&mut self, package: PackageId, by: By) -> bool {
        if !self.is_change_allowed(package, Mode::Keep, 0, by) {
            return false;
        }
        if self.get(package).marked {
            self.set_install(package, None, false);
        }
        true
    }

    /// Takes a package out again unless it was asked for; false where that is not allowed.
    pub(super) fn mark_delete(&mut self, package: PackageId) -> bool {
        if !self.is_change_allowed(package, Mode::Delete, 0, By::Solver) {
            return false;
        }
        let state = self.get(package);
        if state.install.is_none() {
            return true;
        }
        if !state.automatic {
            return false;
        }
        self.set_install(package, None, false);
        true
    }

    /// Marks a package; with `follow` also what it needs. False where something critical failed.
    pub(super) fn mark_install(&mut self, package: PackageId, follow: bool, depth: u32, by: By) -> bool {
        stacker::maybe_grow(STACK_LEFT, STACK_MORE, || self.mark_install_here(package, follow, depth, by))
    }

    fn mark_install_here(&mut self, package: PackageId, follow: bool, depth: u32, by: By) -> bool {
        if !self.is_change_allowed(package, Mode::Install, depth, by) {
            return false;
        }
        let state = *self.get(package);
        let Some(candidate) = state.candidate else { return false };
        if state.marked && !state.protected && !self.is_policy_broken(package) {
            return true;
        }
        if follow && !self.is_satisfiable_by_candidates(package, candidate) {
            return false;
        }
        if by == By::User {
            self.choose(package, by);
        }
        if !follow {
            if by == By::Solver {
                self.choose(package, by);
            }
            return true;
        }
        self.install_with_dependencies(package, candidate, depth, by)
    }

    fn install_with_dependencies(
        &mut self,
        package: PackageId,
        candidate: VersionId,
        depth: u32,
        by: By,
    ) -> bool {
        let protected = self.get(package).protected;
        let fail_early = !protected && by == By::Solver;
        let (to_install, to_remove) = self.collect_dependencies(candidate, protected);
        let removed = self.remove_conflicts(&to_remove, protected, by);
        if !removed && fail_early {
            self.note_discarded(candidate, to_remove.first());
            return false;
        }
        if by == By::Solver {
            self.choose(package, by);
        }
        self.get_mut(package).protected = true;
        let installed = self.install_dependencies(&to_install, protected, depth, by);
        self.get_mut(package).protected = protected;
        if let Err(group) = &installed
            && fail_early
        {
            self.note_discarded(candidate, Some(group));
            self.discard_install(package);
            return false;
        }
        removed && installed.is_ok()
    }

    fn note_discarded(&mut self, version: VersionId, group: Option<&Range<u32>>) {
        if let Some(group) = group {
            self.discarded.push(Discarded { version, dependency: DependencyId(group.start) });
        }
    }

    /// Puts the candidate in; who asks decides whether it counts as automatic.
    fn choose(&mut self, package: PackageId, by: By) {
        let state = self.get_mut(package);
        if state.protected && state.install == state.candidate {
            return;
        }
        state.automatic = by == By::Solver;
        let candidate = state.candidate;
        self.set_install(package, candidate, true);
    }

    /// Gives a candidate up for good where no candidate fulfils one of its dependencies.
    fn is_satisfiable_by_candidates(&mut self, package: PackageId, candidate: VersionId) -> bool {
        let failing = self.groups(candidate).find(|group| {
            let kind = self.kind(group);
            kind.is_critical()
                && !kind.is_negative()
                && group.clone().all(|id| self.met(DependencyId(id)) & (INSTALL | CANDIDATE) == 0)
        });
        let Some(group) = failing else { return true };
        self.note_discarded(candidate, Some(&group));
        let state = self.get_mut(package);
        if !state.protected {
            state.candidate = None;
            state.marked = false;
        }
        false
    }

    /// The dependencies to install, and the conflicts to remove.
    fn collect_dependencies(
        &self,
        version: VersionId,
        protected: bool,
    ) -> (Vec<Range<u32>>, Vec<Range<u32>>) {
        let (mut to_install, mut to_remove) = (Vec::new(), Vec::new());
        for group in self.groups(version) {
            if (self.holds(&group) && !protected) || !self.is_important(self.kind(&group)) {
                continue;
            }
            if self.kind(&group).is_negative() { to_remove.push(group) } else { to_install.push(group) }
        }
        (to_install, to_remove)
    }

    fn remove_conflicts(&mut self, to_remove: &[Range<u32>], protected: bool, by: By) -> bool {
        let mut failed = false;
        for group in to_remove {
            for version in self.possible_solutions(group) {
                let package = self.universe.version(version).package;
                if self.get(package).candidate != Some(version) {
                    continue;
                }
                if self.get(package).marked && !self.mark_keep(package, By::Solver) {
                    failed = true;
                    if !protected && by == By::Solver {
                        return false;
                    }
                } else if protected {
                    let state = self.get_mut(package);
                    state.candidate = state.install;
                    state.protected = true;
                }
            }
        }
        !failed
    }

    /// Installs what fulfils the dependencies; the first one that could not be fulfilled where that is critical.
    fn install_dependencies(
        &mut self,
        to_install: &[Range<u32>],
        protected: bool,
        depth: u32,
        by: By,
    ) -> Result<(), Range<u32>> {
        let mut failed = None;
        for group in to_install {
            let found = self.holds(group);
            if found && !protected {
                continue;
            }
            let critical = self.kind(group).is_critical();
            let fulfilled = match (found, critical) {
                (true, true) => self.protect_only_solution(group, depth),
                (true, false) => true,
                (false, _) => self.install_one_of(group, protected && critical, depth) || !critical,
            };
            if !fulfilled {
                failed.get_or_insert_with(|| group.clone());
                if !found && !protected && by == By::Solver {
                    break;
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Where one package alone fulfils what a protected one needs, it is protected, too.
    fn protect_only_solution(&mut self, group: &Range<u32>, depth: u32) -> bool {
        let solutions = self.possible_solutions_unordered(group);
        let [only] = solutions.as_slice() else { return true };
        let package = self.universe.version(*only).package;
        if self.get(package).protected {
            return true;
        }
        self.get_mut(package).protected = true;
        self.mark_install(package, true, depth + 1, By::Solver)
    }

    fn install_one_of(&mut self, group: &Range<u32>, protect: bool, depth: u32) -> bool {
        let solutions = self.possible_solutions(group);
        for version in &solutions {
            let package = self.universe.version(*version).package;
            if self.get(package).candidate != Some(*version) {
                continue;
            }
            if self.get(package).install.is_none() {
                self.get_mut(package).because = Some(DependencyId(group.start));
            }
            if protect && solutions.len() == 1 {
                if !self.mark_install(package, false, depth + 1, By::Solver) {
                    continue;
                }
                self.get_mut(package).protected = true;
            }
            if self.mark_install(package, true, depth + 1, By::Solver) {
                return true;
            }
        }
        false
    }

    /// Takes a package out and gives its candidate up.
    fn discard_install(&mut self, package: PackageId) {
        let state = self.get(package);
        if !state.marked && state.install.is_none() && state.candidate.is_none() {
            return;
        }
        self.set_install(package, None, false);
        self.get_mut(package).candidate = None;
    }
}
