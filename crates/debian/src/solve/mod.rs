//! Choosing packages as apt does on an empty machine.
//!
//! First everything that was asked for is marked with what it needs, depth first and in
//! the order of the indices; the first alternative that works is taken. Then what is
//! broken is repaired by scores, and what nothing needs is taken out again. What apt's
//! rules are, and where this differs, is in docs/debian-solver.md.

mod candidates;
mod explain;
mod garbage;
mod mark;
mod order;
mod repair;
mod state;
mod targets;

pub use explain::{Conflict, Problem, Reason};

use crate::universe::{DependencyKind, PackageId, RepositoryId, Universe, VersionId};
use mark::By;
use repair::Repair;
use state::State;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Names of packages, each with `=VERSION` behind it where one version is wanted; as with
    /// apt, those in front have the choice between alternatives.
    pub packages: Vec<String>,
    /// How to choose.
    pub options: Options,
}

/// How to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// True where recommended packages are wanted, too.
    pub recommends: bool,
    /// True where the packages are wanted that every system needs.
    pub essential: bool,
    /// Preferences for versions; the first one that names a version decides.
    pub pins: Vec<Pin>,
}

/// A preference for versions of one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The name of the package.
    pub package: String,
    /// The version that it is about; all where there is none.
    pub version: Option<String>,
    /// The repository that it is about; all where there is none.
    pub repository: Option<RepositoryId>,
    /// The priority in place of the repository's; negative is never.
    pub priority: i32,
}

/// Why one version was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// It was asked for by name.
    Requested,
    /// Every system needs it.
    Essential,
    /// Another chosen package has a dependency that it fulfils.
    Needed {
        /// The name of that package.
        by: String,
        /// The kind of the dependency.
        kind: DependencyKind,
        /// The dependency as the package writes it.
        relation: String,
    },
}

/// One chosen version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The version; [`Universe::version`] tells the rest.
    pub version: VersionId,
    /// Why.
    pub because: Because,
}

/// What was chosen, each package after what it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// The choices.
    pub choices: Vec<Choice>,
}

/// Why a request cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// No repository has a package of this name.
    Unknown {
        /// The name.
        name: String,
        /// Names that look like it, the nearest first.
        nearest: Vec<String>,
    },
    /// Several packages provide the name, and none has it.
    Virtual {
        /// The name.
        name: String,
        /// Who provides it.
        providers: Vec<String>,
    },
    /// No repository has the version.
    NoVersion {
        /// The name.
        name: String,
        /// The version that was asked for.
        version: String,
        /// The versions that there are, the highest first.
        available: Vec<String>,
    },
    /// The package's versions are all pinned away.
    NoCandidate {
        /// The name.
        name: String,
    },
}

/// Why there is no solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SolveError {
    /// The request cannot be read.
    Request(RequestError),
    /// What was asked for does not go together.
    Conflict(Conflict),
}

/// Chooses packages for a request.
///
/// # Errors
/// A name or version that no repository has, or requests that do not go together.
pub fn solve(universe: &Universe<'_>, request: &Request) -> Result<Solution, SolveError> {
    let options = &request.options;
    let mut state = State::new(universe, options.recommends, candidates::choose(universe, &options.pins));
    let essential = if options.essential { candidates::essential(&state) } else { Vec::new() };
    let mut named = Vec::new();
    for text in &request.packages {
        named.push(candidates::read_request(&state, text).map_err(SolveError::Request)?);
    }
    let mut roots: Vec<PackageId> = Vec::new();
    for (package, version) in essential.iter().chain(&named) {
        if state.get(*package).candidate != Some(*version) {
            state.get_mut(*package).candidate = Some(*version);
            state.update(*package);
        }
        state.get_mut(*package).protected = true;
        state.mark_install(*package, false, 0, By::User);
        if !roots.contains(package) {
            roots.push(*package);
        }
    }
    for package in &roots {
        state.mark_install(*package, true, 0, By::User);
    }
    let marked = state.clone();
    if !Repair::run(&mut state, &roots) {
        return Err(SolveError::Conflict(explain::conflict(&marked)));
    }
    state.sweep();
    Ok(solution(&state, &essential, &named))
}

fn solution(
    state: &State<'_, '_>,
    essential: &[(PackageId, VersionId)],
    named: &[(PackageId, VersionId)],
) -> Solution {
    let installed = state.installed();
    let because = |package: PackageId| {
        if named.iter().any(|(name, _)| *name == package) {
            return Because::Requested;
        }
        if essential.iter().any(|(name, _)| *name == package) {
            return Because::Essential;
        }
        let Some(id) = state.get(package).because else { return Because::Requested };
        let dependency = state.universe.dependency(id);
        let by = state.universe.version(dependency.parent).package;
        Because::Needed {
            by: state.universe.name(by),
            kind: dependency.kind,
            relation: explain::group_text(state, id),
        }
    };
    let choices = order::by_dependency(state, &installed)
        .into_iter()
        .map(|version| Choice { version, because: because(state.universe.version(version).package) })
        .collect();
    Solution { choices }
}
