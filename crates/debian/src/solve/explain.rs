//! Why nothing fits, in terms of packages and their relations.

use super::state::State;
use crate::universe::{DependencyId, DependencyKind, PackageId, VersionId};
use std::collections::BTreeSet;
use std::ops::Range;

/// How far the cause of a cause is followed.
const MAX_CAUSES: usize = 12;

/// Requests that do not go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// What could not be fulfilled: first what is a cause by itself, then what follows from it.
    pub problems: Vec<Problem>,
}

/// One relation that could not be fulfilled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The package that has it.
    pub package: String,
    /// The package's version.
    pub version: String,
    /// The kind of the relation.
    pub kind: DependencyKind,
    /// The relation with all its alternatives.
    pub relation: String,
    /// Why, one for each alternative.
    pub reasons: Vec<Reason>,
}

/// Why one alternative cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No repository has such a package.
    Missing {
        /// The name.
        name: String,
    },
    /// The repositories have it in other versions.
    OtherVersion {
        /// The name.
        name: String,
        /// The version that would be taken.
        version: String,
    },
    /// It is among what was chosen, and must not be.
    InTheWay {
        /// The name.
        name: String,
        /// Its version.
        version: String,
        /// Who needs it; empty where it was asked for by name.
        needed_by: String,
    },
    /// It cannot be installed itself.
    NotInstallable {
        /// The name.
        name: String,
        /// Its version.
        version: String,
    },
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Reason::Missing { name } => write!(f, "no repository has `{name}`"),
            Reason::OtherVersion { name, version } => write!(f, "`{name}` would be of version `{version}`"),
            Reason::InTheWay { name, version, needed_by } if needed_by.is_empty() => {
                write!(f, "`{name}` {version} was asked for")
            }
            Reason::InTheWay { name, version, needed_by } => {
                write!(f, "`{name}` {version} is needed by `{needed_by}`")
            }
            Reason::NotInstallable { name, version } => write!(f, "`{name}` {version} cannot be installed"),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verb = match self.kind {
            DependencyKind::PreDepends | DependencyKind::Depends => "depends on",
            DependencyKind::Conflicts => "conflicts with",
            DependencyKind::Breaks => "breaks",
            DependencyKind::Recommends => "recommends",
            DependencyKind::Suggests => "suggests",
        };
        write!(f, "`{}` {} {verb} `{}`", self.package, self.version, self.relation)?;
        for (at, reason) in self.reasons.iter().enumerate() {
            f.write_str(if at == 0 { ": " } else { ", " })?;
            reason.fmt(f)?;
        }
        Ok(())
    }
}

impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// Tells what is broken after everything was marked, with the causes.
pub(super) fn conflict(state: &State<'_, '_>) -> Conflict {
    let mut work: Vec<(VersionId, Range<u32>)> = Vec::new();
    for (_, version) in state.installed() {
        let broken =
            state.groups(version).filter(|group| state.kind(group).is_critical() && !state.holds(group));
        work.extend(broken.map(|group| (version, group)));
    }
    work.reverse();
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    while let Some((version, group)) = work.pop() {
        if problems.len() == MAX_CAUSES || !seen.insert(group.start) {
            continue;
        }
        let reasons = group.clone().flat_map(|id| reasons(state, DependencyId(id), &mut work)).collect();
        let facts = state.universe.version(version);
        problems.push(Problem {
            package: state.universe.name(facts.package),
            version: facts.version.to_owned(),
            kind: state.kind(&group),
            relation: group_text(state, DependencyId(group.start)),
            reasons,
        });
    }
    let follows =
        |problem: &Problem| problem.reasons.iter().any(|r| matches!(r, Reason::NotInstallable { .. }));
    problems.sort_by_key(follows);
    Conflict { problems }
}

fn reasons(state: &State<'_, '_>, id: DependencyId, work: &mut Vec<(VersionId, Range<u32>)>) -> Vec<Reason> {
    let universe = state.universe;
    let dependency = universe.dependency(id);
    let named = |version: VersionId| {
        let facts = universe.version(version);
        (universe.name(facts.package), facts.version.to_owned())
    };
    let targets = state.all_targets(id);
    if dependency.kind.is_negative() {
        let there =
            targets.into_iter().filter(|v| state.get(universe.version(*v).package).install == Some(*v));
        return there
            .map(|version| {
                let (name, text) = named(version);
                let needed_by = needed_by(state, universe.version(version).package);
                Reason::InTheWay { name, version: text, needed_by }
            })
            .collect();
    }
    if targets.is_empty() {
        let name = universe.name(dependency.target);
        return match universe.versions_of(dependency.target).first() {
            Some(version) => {
                vec![Reason::OtherVersion { name, version: universe.version(*version).version.to_owned() }]
            }
            None => vec![Reason::Missing { name }],
        };
    }
    let mut all = Vec::new();
    for version in targets {
        let (name, text) = named(version);
        all.push(Reason::NotInstallable { name, version: text });
        if let Some(discarded) = state.discarded.iter().find(|discarded| discarded.version == version) {
            let group = state.groups(version).find(|group| group.contains(&discarded.dependency.0));
            work.extend(group.map(|group| (version, group)));
        }
    }
    all
}

fn needed_by(state: &State<'_, '_>, package: PackageId) -> String {
    let because = state.get(package).because.filter(|_| state.get(package).automatic);
    because.map_or_else(String::new, |id| {
        let parent = state.universe.dependency(id).parent;
        state.universe.name(state.universe.version(parent).package)
    })
}

/// A dependency with all its alternatives, as a control file writes it.
pub(super) fn group_text(state: &State<'_, '_>, first: DependencyId) -> String {
    let parent = state.universe.dependency(first).parent;
    let group = state.groups(parent).find(|group| group.contains(&first.0)).unwrap_or(first.0..first.0 + 1);
    let parts: Vec<String> =
        group.map(|id| state.universe.relation_text(state.universe.dependency(DependencyId(id)))).collect();
    parts.join(" | ")
}
