//! Repairing what marking left broken: the scored problem resolver of apt.
//!
//! Each package gets a score from its priority and from who needs it; broken ones are
//! looked at from the highest score down, and either they or what stands in their way
//! is kept out.

use super::mark::By;
use super::state::{CANDIDATE, State};
use crate::universe::{DependencyId, DependencyKind, PackageId, Priority, VersionId};
use std::ops::Range;

const ROUNDS: u32 = 20;
const ESSENTIAL_SCORE: i32 = 100;
const PROTECTED_MORE: i32 = 10_000;
const ESSENTIAL_MORE: i32 = 5_000;

/// What becomes of a package whose alternatives all failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unwind {
    Remove,
    Keep,
}

/// One run over one broken package.
struct Inspection {
    package: PackageId,
    round: u32,
    kill: Vec<(PackageId, Range<u32>)>,
    changed: bool,
}

/// What is to be done after one alternative was looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Go,
    Stop,
}

/// The repair of one state.
pub(super) struct Repair<'s, 'u, 't> {
    state: &'s mut State<'u, 't>,
    scores: Vec<i32>,
    tried: Vec<bool>,
    requested: Vec<bool>,
}

impl<'s, 'u, 't> Repair<'s, 'u, 't> {
    /// Tries to leave nothing broken; true where that is so.
    pub(super) fn run(state: &'s mut State<'u, 't>, requested: &[PackageId]) -> bool {
        if state.broken_count() == 0 {
            return true;
        }
        let count = state.packages.len();
        let mut repair =
            Self { state, scores: vec![0; count], tried: vec![false; count], requested: vec![false; count] };
        for package in requested {
            repair.requested[package.0 as usize] = true;
        }
        repair.make_scores();
        let mut order: Vec<PackageId> = repair.state.universe.package_ids().collect();
        order.sort_by_key(|package| std::cmp::Reverse(repair.scores[package.0 as usize]));
        let before: Vec<PackageId> =
            repair.state.installed().into_iter().map(|(package, _)| package).collect();
        for round in 0..ROUNDS {
            let mut changed = false;
            for package in &order {
                if repair.state.get(*package).install.is_some() && repair.state.is_broken(*package) {
                    changed |= repair.inspect(*package, round);
                }
            }
            if !changed {
                break;
            }
        }
        repair.mark_new_automatic(&before);
        repair.state.broken_count() == 0
    }

    fn mark_new_automatic(&mut self, before: &[PackageId]) {
        for (package, _) in self.state.installed() {
            if before.binary_search(&package).is_err() {
                self.state.get_mut(package).automatic = true;
            }
        }
    }

    fn score(&self, package: PackageId) -> i32 {
        self.scores[package.0 as usize]
    }

    fn set_score(&mut self, package: PackageId, score: i32) {
        self.scores[package.0 as usize] = score;
    }

    fn make_scores(&mut self) {
        let installed = self.state.installed();
        for (package, version) in &installed {
            let facts = self.state.universe.package(*package);
            let essential = if facts.essential || facts.important { ESSENTIAL_SCORE } else { 0 };
            let own = essential + priority_score(self.state.universe.version(*version).priority);
            self.scores[package.0 as usize] += own;
            self.score_targets(*version);
        }
        let first = self.scores.clone();
        for (package, _) in &installed {
            for id in self.state.universe.reverse_dependencies(*package) {
                let dependency = self.state.universe.dependency(*id);
                let parent = self.state.universe.version(dependency.parent).package;
                let counts = matches!(
                    dependency.kind,
                    DependencyKind::Depends | DependencyKind::PreDepends | DependencyKind::Recommends
                );
                if counts && self.state.get(parent).install == Some(dependency.parent) {
                    self.scores[package.0 as usize] += first[parent.0 as usize].max(0);
                }
            }
        }
        self.score_providers(&first);
        for package in self.state.universe.package_ids() {
            let facts = self.state.universe.package(package);
            let protected = if self.requested[package.0 as usize] { PROTECTED_MORE } else { 0 };
            let essential = if facts.essential || facts.important { ESSENTIAL_MORE } else { 0 };
            self.scores[package.0 as usize] += protected + essential;
        }
    }

    fn score_targets(&mut self, version: VersionId) {
        for id in self.state.universe.dependency_ids(version) {
            let dependency = self.state.universe.dependency(id);
            let points = match dependency.kind {
                DependencyKind::Suggests => continue,
                kind if kind.is_negative() => -1,
                _ => 1,
            };
            let parent = self.state.universe.version(dependency.parent).package;
            let ignored = dependency.kind.is_negative() && parent == dependency.target;
            if !ignored {
                let installed = self.state.get(dependency.target).install;
                let fits =
                    dependency.version.is_empty() || installed.is_some_and(|v| self.state.satisfies(id, v));
                if !fits {
                    continue;
                }
                self.scores[dependency.target.0 as usize] += points;
            }
            let mut owners: Vec<PackageId> = self
                .state
                .universe
                .provided(dependency.target)
                .filter(|provide| {
                    let owner = self.state.universe.version(provide.owner).package;
                    !(dependency.kind.is_negative() && owner == parent)
                        && self.state.get(owner).install == Some(provide.owner)
                        && dependency.operator.holds(provide.version, dependency.version)
                })
                .map(|provide| self.state.universe.version(provide.owner).package)
                .collect();
            owners.sort_unstable();
            owners.dedup();
            for owner in owners {
                self.scores[owner.0 as usize] += points;
            }
        }
    }

    fn score_providers(&mut self, first: &[i32]) {
        for package in self.state.universe.package_ids() {
            let transfer = (self.score(package) - first[package.0 as usize]).abs();
            if transfer == 0 {
                continue;
            }
            let mut owners: Vec<PackageId> = self
                .state
                .universe
                .provided(package)
                .filter(|provide| !provide.implicit)
                .map(|provide| (self.state.universe.version(provide.owner).package, provide.owner))
                .filter(|(owner, version)| self.state.get(*owner).install == Some(*version))
                .map(|(owner, _)| owner)
                .collect();
            owners.sort_unstable();
            owners.dedup();
            for owner in owners {
                self.scores[owner.0 as usize] += transfer;
            }
        }
    }

    /// Mends or takes out one broken package; true where something changed.
    fn inspect(&mut self, package: PackageId, round: u32) -> bool {
        let Some(version) = self.state.get(package).install else { return false };
        let mut inspection = Inspection { package, round, kill: Vec::new(), changed: false };
        for group in self.state.groups(version) {
            if !self.state.kind(&group).is_critical() {
                continue;
            }
            if self.inspect_group(&mut inspection, &group) == Next::Stop {
                break;
            }
        }
        self.apply_kills(&mut inspection);
        inspection.changed
    }

    fn inspect_group(&mut self, inspection: &mut Inspection, group: &Range<u32>) -> Next {
        let alternatives = group.len() > 1;
        let kills = inspection.kill.len();
        let mut unwind = Unwind::Remove;
        for id in group.clone().map(DependencyId) {
            if self.state.holds(group) {
                return Next::Go;
            }
            let next = self.inspect_alternative(inspection, group, id, &mut unwind);
            if next == Next::Stop && !alternatives {
                return Next::Stop;
            }
        }
        let package = inspection.package;
        if alternatives && kills == inspection.kill.len() {
            if unwind == Unwind::Keep {
                self.state.mark_keep(package, By::Solver);
                inspection.changed = true;
            } else if !self.state.get(package).protected {
                self.state.mark_delete(package);
                inspection.changed = true;
            }
        }
        Next::Go
    }

    fn inspect_alternative(
        &mut self,
        inspection: &mut Inspection,
        group: &Range<u32>,
        id: DependencyId,
        unwind: &mut Unwind,
    ) -> Next {
        let package = inspection.package;
        let alternatives = group.len() > 1;
        let negative = self.state.kind(group).is_negative();
        let targets = self.state.all_targets(id);
        if targets.is_empty() && !negative && !self.state.get(package).protected {
            if alternatives {
                return Next::Go;
            }
            inspection.changed = true;
            self.state.mark_keep(package, By::Solver);
            return Next::Stop;
        }
        for target in targets {
            let other = self.state.universe.version(target).package;
            if negative && self.state.get(other).install != Some(target) {
                continue;
            }
            if self.score(package) <= self.score(other) || !negative {
                match self.change_itself(inspection, id, other, unwind) {
                    Some(next) => return next,
                    None => continue,
                }
            }
            let other_state = self.state.get(other);
            if self.state.universe.dependency(id).kind == DependencyKind::Breaks
                && self.state.met(id) & CANDIDATE == 0
            {
                self.state.mark_install(other, false, 0, By::Solver);
                continue;
            }
            if other_state.protected {
                continue;
            }
            inspection.kill.push((other, group.clone()));
            if !negative {
                break;
            }
        }
        Next::Go
    }

    /// Mends the package under inspection, or takes it out; `None` goes on with the next target.
    fn change_itself(
        &mut self,
        inspection: &mut Inspection,
        id: DependencyId,
        other: PackageId,
        unwind: &mut Unwind,
    ) -> Option<Next> {
        let package = inspection.package;
        if self.state.get(package).protected {
            if self.upgrade(other) {
                let lower = self.score(package).min(self.score(other));
                self.set_score(other, lower);
                return Some(Next::Go);
            }
            return None;
        }
        let was_marked = self.state.get(package).marked;
        self.state.mark_keep(package, By::Solver);
        let alternatives = self.is_in_alternatives(id);
        if !self.state.is_broken(package) {
            *unwind = Unwind::Keep;
            if alternatives && was_marked {
                self.state.mark_install(package, false, 0, By::Solver);
            }
        } else if !self.upgrade(package) {
            if !alternatives {
                self.state.mark_delete(package);
                if inspection.round > 1 && self.score(other) > self.score(package) {
                    let score = self.score(other);
                    self.set_score(package, score);
                }
            } else {
                self.try_target(id, unwind);
            }
        }
        inspection.changed = true;
        Some(Next::Stop)
    }

    fn try_target(&mut self, id: DependencyId, unwind: &mut Unwind) {
        let target = self.state.universe.dependency(id).target;
        if self.state.get(target).candidate.is_none() {
            return;
        }
        let before = self.state.broken_count();
        self.state.mark_install(target, true, 1, By::Solver);
        *unwind = Unwind::Keep;
        if self.state.is_broken(target) || self.state.broken_count() > before {
            self.state.mark_delete(target);
            *unwind = Unwind::Remove;
        }
    }

    fn is_in_alternatives(&self, id: DependencyId) -> bool {
        let dependency = self.state.universe.dependency(id);
        let mut groups = self.state.groups(dependency.parent);
        groups.any(|group| group.contains(&id.0) && group.len() > 1)
    }

    /// Tries to install a package with the candidates that its broken dependencies need.
    fn upgrade(&mut self, package: PackageId) -> bool {
        let state = self.state.get(package);
        let at = package.0 as usize;
        if self.tried[at] || state.candidate.is_none() || self.requested[at] {
            return false;
        }
        self.tried[at] = true;
        let was_kept = !state.marked;
        if !self.state.mark_install(package, false, 0, By::Solver) {
            return false;
        }
        let Some(version) = self.state.get(package).install else { return false };
        let groups: Vec<Range<u32>> = self.state.groups(version).collect();
        if groups.iter().all(|group| !self.state.kind(group).is_critical() || self.upgrade_group(group)) {
            return true;
        }
        if was_kept {
            self.state.mark_keep(package, By::Solver);
        } else {
            self.state.mark_delete(package);
        }
        false
    }

    fn upgrade_group(&mut self, group: &Range<u32>) -> bool {
        let mut failed = false;
        for id in group.clone().map(DependencyId) {
            if self.state.holds(group) {
                break;
            }
            let target = self.state.smart_target(id);
            let negative = self.state.kind(group).is_negative();
            if self.state.get(target).protected {
                failed = true;
            } else if (self.state.met(id) & CANDIDATE != 0) != negative {
                failed = !self.upgrade(target);
                if !failed {
                    break;
                }
            } else if negative {
                break;
            } else {
                failed = true;
            }
        }
        !failed
    }

    /// Keeps out what stands in the way of the package under inspection.
    fn apply_kills(&mut self, inspection: &mut Inspection) {
        if self.state.get(inspection.package).install.is_none() {
            return;
        }
        for (other, group) in std::mem::take(&mut inspection.kill) {
            // Nothing is there before the installation: a conflict held then, a dependency did not.
            let negative = self.state.kind(&group).is_negative();
            let found = negative && self.state.mark_keep(other, By::Solver);
            let score = self.score(inspection.package);
            if (!found || inspection.round > 1) && score > self.score(other) {
                self.set_score(other, score);
                inspection.changed = true;
            }
            inspection.changed |= found;
        }
    }
}

fn priority_score(priority: Priority) -> i32 {
    match priority {
        Priority::Unknown => 0,
        Priority::Required => 3,
        Priority::Important => 2,
        Priority::Standard => 1,
        Priority::Optional => -1,
        Priority::Extra => -2,
    }
}
