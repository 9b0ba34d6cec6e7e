//! All packages of all repositories, as apt's cache has them.
//!
//! Names are numbered in the order in which the indices first mention them, as a
//! package, a dependency or something provided: where nothing else decides between
//! two providers, apt takes the one with the higher number, so the numbering is part
//! of the format. Texts are borrowed from the indices.

mod builder;
mod names;

pub use builder::UniverseBuilder;

use crate::Operator;
use names::Names;

/// Names a package, also one that is only provided, or only asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageId(pub(crate) u32);

/// Names one version of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VersionId(pub(crate) u32);

/// Names a repository, in the order in which they were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryId(pub u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DependencyId(pub(crate) u32);

/// What is to be known of a repository to choose between versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryFacts {
    /// The name that the caller knows it by.
    pub name: String,
    /// Its priority: 500 is usual, 100 for backports, 1 for what is taken only when asked for.
    pub priority: i32,
}

/// Whether copies of a package for several architectures go together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MultiArch {
    /// Only one at a time.
    #[default]
    No,
    /// `same`: side by side.
    Same,
    /// `foreign`: one serves all architectures.
    Foreign,
    /// `allowed`: whoever asks decides, by `:any`.
    Allowed,
}

/// How much a system needs a package; smaller needs it more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// The index does not say.
    #[default]
    Unknown,
    /// `required`
    Required,
    /// `important`
    Important,
    /// `standard`
    Standard,
    /// `optional`
    Optional,
    /// `extra`, or a word that is not known
    Extra,
}

/// The kind of a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DependencyKind {
    /// Must be configured before unpacking.
    PreDepends,
    /// Must be there.
    Depends,
    /// Must not be there.
    Conflicts,
    /// Must not be there configured.
    Breaks,
    /// Should be there.
    Recommends,
    /// May be of use.
    Suggests,
}

impl DependencyKind {
    /// True for what forbids.
    pub fn is_negative(self) -> bool {
        matches!(self, DependencyKind::Conflicts | DependencyKind::Breaks)
    }

    /// True for what must hold.
    pub fn is_critical(self) -> bool {
        !matches!(self, DependencyKind::Recommends | DependencyKind::Suggests)
    }

    /// The field's name.
    pub fn field(self) -> &'static str {
        match self {
            DependencyKind::PreDepends => "Pre-Depends",
            DependencyKind::Depends => "Depends",
            DependencyKind::Conflicts => "Conflicts",
            DependencyKind::Breaks => "Breaks",
            DependencyKind::Recommends => "Recommends",
            DependencyKind::Suggests => "Suggests",
        }
    }
}

/// One alternative of one dependency of a version.
#[derive(Clone, Debug)]
pub struct Dependency<'t> {
    /// Whose dependency it is.
    pub parent: VersionId,
    /// What it is on.
    pub target: PackageId,
    /// Its kind.
    pub kind: DependencyKind,
    /// How the version is compared.
    pub operator: Operator,
    /// The version to compare with; empty for none.
    pub version: &'t str,
    /// True where the next dependency is an alternative.
    pub or: bool,
}

/// One version of a package.
#[derive(Clone, Debug)]
pub struct Version<'t> {
    /// The package.
    pub package: PackageId,
    /// The version.
    pub version: &'t str,
    /// The architecture of the file: the machine's, or `all`.
    pub architecture: &'t str,
    /// Whether copies for several architectures go together.
    pub multi_arch: MultiArch,
    /// How much a system needs it.
    pub priority: Priority,
    /// The source package's name.
    pub source: &'t str,
    /// The source package's version.
    pub source_version: &'t str,
    /// The file's path within its repository.
    pub path: &'t str,
    /// The file's size in bytes.
    pub size: u64,
    /// The file's SHA-256, as hex digits.
    pub sha256: &'t str,
    /// The repositories that have it, the one that was added first in front.
    pub repositories: Vec<RepositoryId>,
    pub(crate) dependencies: std::ops::Range<u32>,
    pub(crate) provides: Vec<u32>,
}

#[derive(Clone, Debug)]
pub(crate) struct Provide<'t> {
    pub(crate) owner: VersionId,
    pub(crate) package: PackageId,
    pub(crate) version: &'t str,
    pub(crate) implicit: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    pub(crate) versions: Vec<VersionId>,
    /// In the order in which they were added; apt looks at the last one first.
    pub(crate) provides: Vec<u32>,
    pub(crate) essential: bool,
    pub(crate) important: bool,
}

/// All packages of all repositories.
#[derive(Debug)]
pub struct Universe<'t> {
    architecture: &'t str,
    repositories: Vec<RepositoryFacts>,
    names: Names<'t>,
    packages: Vec<Package>,
    versions: Vec<Version<'t>>,
    dependencies: Vec<Dependency<'t>>,
    provides: Vec<Provide<'t>>,
    reverse: Vec<DependencyId>,
    reverse_starts: Vec<u32>,
    malformed: Vec<String>,
}

impl<'t> Universe<'t> {
    /// The architecture that packages are chosen for.
    pub fn architecture(&self) -> &'t str {
        self.architecture
    }

    /// The facts of a repository.
    pub fn repository(&self, id: RepositoryId) -> &RepositoryFacts {
        &self.repositories[id.0 as usize]
    }

    /// How many versions there are.
    pub fn version_count(&self) -> usize {
        self.versions.len()
    }

    /// Stanzas that were left out, each with the reason.
    pub fn malformed(&self) -> &[String] {
        &self.malformed
    }

    /// Finds a package by name; also one that no repository has, but some package mentions.
    pub fn find(&self, name: &str) -> Option<PackageId> {
        self.names.find(name, "")
    }

    /// The name of a package, with what stands behind its colon if anything does.
    pub fn name(&self, id: PackageId) -> String {
        let (name, qualifier) = self.names.get(id);
        if qualifier.is_empty() { name.to_owned() } else { format!("{name}:{qualifier}") }
    }

    /// The name of a package without what stands behind its colon.
    pub fn plain_name(&self, id: PackageId) -> &'t str {
        self.names.get(id).0
    }

    /// The versions of a package, the highest first.
    pub fn versions_of(&self, id: PackageId) -> &[VersionId] {
        &self.packages[id.0 as usize].versions
    }

    /// One version.
    pub fn version(&self, id: VersionId) -> &Version<'t> {
        &self.versions[id.0 as usize]
    }

    /// The packages that provide this name, without repetition, in the order of their mention.
    pub fn providers_of(&self, id: PackageId) -> Vec<PackageId> {
        let mut owners: Vec<PackageId> =
            self.provided(id).map(|provide| self.version(provide.owner).package).collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    /// Names of packages that a repository has.
    pub fn package_names(&self) -> impl Iterator<Item = &'t str> {
        self.package_ids().filter(|id| !self.versions_of(*id).is_empty()).map(|id| self.plain_name(id))
    }

    /// The dependencies of a version, alternatives in order.
    pub fn dependencies_of(&self, id: VersionId) -> &[Dependency<'t>] {
        let range = self.versions[id.0 as usize].dependencies.clone();
        &self.dependencies[range.start as usize..range.end as usize]
    }

    /// Writes a dependency as a control file does, such as `libc6 (>= 2.38)`.
    pub fn relation_text(&self, dependency: &Dependency<'_>) -> String {
        let name = self.name(dependency.target);
        if dependency.operator == Operator::Any {
            return name;
        }
        format!("{name} ({} {})", dependency.operator.sign(), dependency.version)
    }

    pub(crate) fn package_ids(&self) -> impl Iterator<Item = PackageId> + use<'t> {
        (0..self.packages.len() as u32).map(PackageId)
    }

    pub(crate) fn package(&self, id: PackageId) -> &Package {
        &self.packages[id.0 as usize]
    }

    pub(crate) fn dependency(&self, id: DependencyId) -> &Dependency<'t> {
        &self.dependencies[id.0 as usize]
    }

    pub(crate) fn dependency_count(&self) -> usize {
        self.dependencies.len()
    }

    pub(crate) fn dependency_ids(&self, id: VersionId) -> impl Iterator<Item = DependencyId> + use<'t> {
        self.versions[id.0 as usize].dependencies.clone().map(DependencyId)
    }

    pub(crate) fn reverse_dependencies(&self, id: PackageId) -> &[DependencyId] {
        let at = id.0 as usize;
        &self.reverse[self.reverse_starts[at] as usize..self.reverse_starts[at + 1] as usize]
    }

    /// Who provides a name, the last one added first.
    pub(crate) fn provided(&self, id: PackageId) -> impl Iterator<Item = &Provide<'t>> {
        self.packages[id.0 as usize].provides.iter().rev().map(|at| &self.provides[*at as usize])
    }

    pub(crate) fn provided_by(&self, id: VersionId) -> impl Iterator<Item = &Provide<'t>> {
        self.versions[id.0 as usize].provides.iter().map(|at| &self.provides[*at as usize])
    }
}
