//! Taking out again what nothing that was asked for needs: left over from attempts that failed.

use super::mark::By;
use super::state::State;
use crate::universe::{DependencyId, DependencyKind, PackageId, VersionId};

/// Names that apt never removes as unneeded (its `APT::NeverAutoRemove` default).
fn is_kept_anyway(name: &str) -> bool {
    name.starts_with("firmware-linux") || name == "linux-firmware" || is_kernel(name)
}

/// `linux-image-FLAVOUR` and `linux-image-VERSION-FLAVOUR`, of lower-case letters and digits.
fn is_kernel(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("linux-image-") else { return false };
    let parts: Vec<&str> = rest.split('-').collect();
    let plain = |part: &&str| part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    parts.len() <= 2 && parts.iter().all(plain)
}

impl State<'_, '_> {
    /// Takes unneeded packages out, and in again what turns out to be needed all the same.
    pub(super) fn sweep(&mut self) {
        let needed = self.needed();
        let mut removed = Vec::new();
        let mut garbage: Vec<PackageId> = self
            .installed()
            .into_iter()
            .map(|(package, _)| package)
            .filter(|p| !needed[p.0 as usize])
            .collect();
        garbage.sort_by_key(|package| self.universe.plain_name(*package));
        for package in garbage {
            if self.get(package).marked {
                removed.push(package);
                self.mark_delete(package);
            }
        }
        removed.sort_unstable();
        let broken =
            |state: &Self| state.installed().iter().any(|(package, _)| state.is_policy_broken(*package));
        if !removed.is_empty() && broken(self) {
            self.bring_back(&mut removed);
        }
    }

    fn bring_back(&mut self, removed: &mut Vec<PackageId>) {
        while let Some(at) = removed.iter().position(|package| self.is_wanted_again(*package)) {
            let package = removed.remove(at);
            self.mark_install(package, false, 0, By::Solver);
        }
    }

    fn is_wanted_again(&self, package: PackageId) -> bool {
        let Some(candidate) = self.get(package).candidate else { return false };
        let own = (package, self.universe.version(candidate).version);
        let provided = self.universe.provided_by(candidate).map(|provide| (provide.package, provide.version));
        std::iter::once(own).chain(provided).any(|(target, version)| {
            self.universe.reverse_dependencies(target).iter().any(|id| {
                let dependency = self.universe.dependency(*id);
                let parent = self.get(self.universe.version(dependency.parent).package);
                !dependency.kind.is_negative()
                    && self.is_important(dependency.kind)
                    && parent.candidate == Some(dependency.parent)
                    && parent.marked
                    && dependency.operator.holds(version, dependency.version)
            })
        })
    }

    /// What is needed by something that was asked for, suggestions included.
    fn needed(&self) -> Vec<bool> {
        let mut needed = vec![false; self.packages.len()];
        let mut explored = vec![false; self.packages.len()];
        for (package, version) in self.installed() {
            let (state, facts) = (self.get(package), self.universe.package(package));
            let name = self.universe.plain_name(package);
            let kept = state.protected || facts.essential || facts.important || is_kept_anyway(name);
            if state.marked && (!state.automatic || kept) {
                self.need(package, version, &mut needed, &mut explored);
            }
        }
        needed
    }

    fn need(&self, package: PackageId, version: VersionId, needed: &mut [bool], explored: &mut [bool]) {
        let mut work = vec![(package, version)];
        while let Some((package, version)) = work.pop() {
            if std::mem::replace(&mut needed[package.0 as usize], true) {
                continue;
            }
            for id in self.universe.dependency_ids(version) {
                let dependency = self.universe.dependency(id);
                let follows = matches!(
                    dependency.kind,
                    DependencyKind::PreDepends
                        | DependencyKind::Depends
                        | DependencyKind::Recommends
                        | DependencyKind::Suggests
                );
                if follows && !explored[dependency.target.0 as usize] {
                    self.need_targets(id, explored, &mut work);
                }
            }
        }
    }

    fn need_targets(&self, id: DependencyId, explored: &mut [bool], work: &mut Vec<(PackageId, VersionId)>) {
        let dependency = self.universe.dependency(id);
        let mut unfit = false;
        let mut add = |package: PackageId, version: VersionId, fits: bool| {
            if fits { work.push((package, version)) } else { unfit = true }
        };
        let chosen =
            |package: PackageId| Some(self.get(package)).filter(|s| s.marked).and_then(|s| s.install);
        if let Some(version) = chosen(dependency.target) {
            add(dependency.target, version, self.satisfies(id, version));
        }
        for provide in self.universe.provided(dependency.target) {
            let owner = self.universe.version(provide.owner).package;
            if chosen(owner) == Some(provide.owner) {
                add(owner, provide.owner, dependency.operator.holds(provide.version, dependency.version));
            }
        }
        if !unfit {
            explored[dependency.target.0 as usize] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_kept_anyway;

    #[test]
    fn kernels_are_kept() {
        for name in ["linux-image-amd64", "linux-image-6.12-amd64x", "firmware-linux-free", "linux-firmware"]
        {
            let expected = !name.contains('.');
            assert_eq!(is_kept_anyway(name), expected, "{name}");
        }
        assert!(!is_kept_anyway("linux-image-6-12-amd64"));
    }
}
