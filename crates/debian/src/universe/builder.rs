//! Reading `Packages` indices into a universe, in the order in which apt's cache is made.

use super::{
    Dependency, DependencyId, DependencyKind, MultiArch, Names, Package, PackageId, Priority, Provide,
    RepositoryFacts, RepositoryId, Universe, Version, VersionId,
};
use crate::{Operator, Paragraphs, Qualifier, Relations, compare_versions};
use std::cmp::Ordering;

/// Collects indices; [`build`](Self::build) makes the universe.
#[derive(Debug)]
pub struct UniverseBuilder<'t> {
    architecture: &'t str,
    repositories: Vec<RepositoryFacts>,
    names: Names<'t>,
    packages: Vec<Package>,
    versions: Vec<Version<'t>>,
    dependencies: Vec<Dependency<'t>>,
    provides: Vec<Provide<'t>>,
    malformed: Vec<String>,
}

/// The fields of a stanza that count.
#[derive(Default)]
struct Stanza<'t> {
    package: &'t str,
    version: &'t str,
    architecture: &'t str,
    multi_arch: &'t str,
    priority: &'t str,
    source: &'t str,
    path: &'t str,
    size: &'t str,
    sha256: &'t str,
    essential: bool,
    important: bool,
    relations: [&'t str; 8],
    provides: &'t str,
}

/// In the order in which apt reads them; the last two only number names.
const RELATIONS: [(&str, Option<DependencyKind>); 8] = [
    ("Pre-Depends", Some(DependencyKind::PreDepends)),
    ("Depends", Some(DependencyKind::Depends)),
    ("Conflicts", Some(DependencyKind::Conflicts)),
    ("Breaks", Some(DependencyKind::Breaks)),
    ("Recommends", Some(DependencyKind::Recommends)),
    ("Suggests", Some(DependencyKind::Suggests)),
    ("Replaces", None),
    ("Enhances", None),
];

/// The other fields that count.
const FIELDS: [&str; 13] = [
    "Package",
    "Version",
    "Architecture",
    "Filename",
    "Size",
    "SHA256",
    "Priority",
    "Multi-Arch",
    "Source",
    "Provides",
    "Essential",
    "Important",
    "Protected",
];

/// What apt takes for essential whatever the index says: itself.
const FORCED_ESSENTIAL: &str = "apt";

impl<'t> UniverseBuilder<'t> {
    /// Starts without any repository, for packages of one architecture such as `amd64`.
    pub fn new(architecture: &'t str) -> Self {
        Self {
            architecture,
            repositories: Vec::new(),
            names: Names::with_capacity(1 << 17),
            packages: Vec::with_capacity(1 << 17),
            versions: Vec::with_capacity(1 << 17),
            dependencies: Vec::with_capacity(1 << 19),
            provides: Vec::with_capacity(1 << 16),
            malformed: Vec::new(),
        }
    }

    /// Adds a repository; the order of repositories and indices is that of apt's sources.
    pub fn add_repository(&mut self, facts: RepositoryFacts) -> RepositoryId {
        self.repositories.push(facts);
        RepositoryId(self.repositories.len() as u32 - 1)
    }

    /// Adds a `Packages` index of a repository that was added.
    pub fn add_index(&mut self, repository: RepositoryId, text: &'t str) {
        for paragraph in Paragraphs::new(text) {
            let stanza = Stanza::read(paragraph);
            if let Err(reason) = self.add(repository, &stanza) {
                self.malformed.push(format!("{} {}: {reason}", stanza.package, stanza.version));
            }
        }
    }

    /// Makes the universe.
    pub fn build(self) -> Universe<'t> {
        let mut starts = vec![0u32; self.packages.len() + 1];
        for dependency in &self.dependencies {
            starts[dependency.target.0 as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut reverse = vec![DependencyId(0); self.dependencies.len()];
        for (at, dependency) in self.dependencies.iter().enumerate() {
            let slot = &mut next[dependency.target.0 as usize];
            reverse[*slot as usize] = DependencyId(at as u32);
            *slot += 1;
        }
        Universe {
            architecture: self.architecture,
            repositories: self.repositories,
            names: self.names,
            packages: self.packages,
            versions: self.versions,
            dependencies: self.dependencies,
            provides: self.provides,
            reverse,
            reverse_starts: starts,
            malformed: self.malformed,
        }
    }

    fn add(&mut self, repository: RepositoryId, stanza: &Stanza<'t>) -> Result<(), String> {
        if stanza.architecture != "all" && stanza.architecture != self.architecture {
            return Ok(());
        }
        stanza.check()?;
        let package = self.number(stanza.package, "");
        let facts = &mut self.packages[package.0 as usize];
        let forced = stanza.package == FORCED_ESSENTIAL;
        facts.essential |= stanza.essential || forced;
        facts.important |= stanza.important || forced;
        let place = match self.place(package, stanza) {
            Ok(place) => place,
            Err(known) => {
                self.versions[known.0 as usize].repositories.push(repository);
                return Ok(());
            }
        };
        let id = VersionId(self.versions.len() as u32);
        self.packages[package.0 as usize].versions.insert(place, id);
        let start = self.dependencies.len() as u32;
        self.versions.push(stanza.version(package, repository, start));
        let read = self.read_relations(id, stanza);
        self.versions[id.0 as usize].dependencies.end = self.dependencies.len() as u32;
        let read = read.and_then(|()| self.read_provides(id, stanza));
        if read.is_err() {
            self.packages[package.0 as usize].versions.retain(|known| *known != id);
        }
        read
    }

    /// Where a version goes among those of its package, or the one that it is a second copy of.
    fn place(&self, package: PackageId, stanza: &Stanza<'t>) -> Result<usize, VersionId> {
        let versions = &self.packages[package.0 as usize].versions;
        for (at, id) in versions.iter().enumerate() {
            let known = &self.versions[id.0 as usize];
            match compare_versions(stanza.version, known.version) {
                Ordering::Greater => return Ok(at),
                Ordering::Equal if known.sha256.eq_ignore_ascii_case(stanza.sha256) => return Err(*id),
                Ordering::Equal | Ordering::Less => {}
            }
        }
        Ok(versions.len())
    }

    fn read_relations(&mut self, parent: VersionId, stanza: &Stanza<'t>) -> Result<(), String> {
        for (value, (field, kind)) in stanza.relations.iter().zip(RELATIONS) {
            for relation in Relations::new(value) {
                let relation =
                    relation.map_err(|rest| format!("the field `{field}` is malformed at `{rest}`"))?;
                let target = self.target(relation.name, relation.qualifier);
                if let Some(kind) = kind {
                    let (operator, version, or) = (relation.operator, relation.version, relation.or);
                    self.dependencies.push(Dependency { parent, target, kind, operator, version, or });
                }
            }
        }
        Ok(())
    }

    fn target(&mut self, name: &'t str, qualifier: Qualifier<'t>) -> PackageId {
        match qualifier {
            Qualifier::None => self.number(name, ""),
            Qualifier::Any => self.number(name, "any"),
            Qualifier::Architecture("native") => self.number(name, self.architecture),
            Qualifier::Architecture(architecture) => self.number(name, architecture),
        }
    }

    /// Numbers a name. `NAME:ARCHITECTURE` is made when it is first needed, and provided by what NAME is.
    fn number(&mut self, name: &'t str, qualifier: &'t str) -> PackageId {
        let (id, new) = self.names.number(name, qualifier);
        if !new {
            return id;
        }
        self.packages.push(Package::default());
        if qualifier == self.architecture {
            let plain = self.number(name, "");
            let facts = &self.packages[plain.0 as usize];
            let provided: Vec<_> =
                facts.provides.iter().rev().map(|at| &self.provides[*at as usize]).collect();
            let mut owners: Vec<VersionId> =
                provided.iter().filter(|p| !p.implicit).map(|p| p.owner).collect();
            owners.extend(&facts.versions);
            for owner in owners {
                self.provide(owner, id, self.versions[owner.0 as usize].version, true);
            }
        }
        id
    }

    fn provide(&mut self, owner: VersionId, package: PackageId, version: &'t str, implicit: bool) {
        let at = self.provides.len() as u32;
        self.provides.push(Provide { owner, package, version, implicit });
        self.packages[package.0 as usize].provides.push(at);
        self.versions[owner.0 as usize].provides.push(at);
    }

    fn read_provides(&mut self, owner: VersionId, stanza: &Stanza<'t>) -> Result<(), String> {
        let multi_arch = self.versions[owner.0 as usize].multi_arch;
        for relation in Relations::new(stanza.provides) {
            let relation =
                relation.map_err(|rest| format!("the field `Provides` is malformed at `{rest}`"))?;
            if !matches!(relation.operator, Operator::Any | Operator::Equal) {
                continue;
            }
            let (name, version) = (relation.name, relation.version);
            match relation.qualifier {
                Qualifier::None => self.provide_plain(owner, stanza, name, version, multi_arch),
                Qualifier::Any => {
                    let package = self.number(name, "any");
                    self.provide(owner, package, version, false);
                }
                Qualifier::Architecture(architecture) => {
                    if architecture == self.architecture {
                        let package = self.number(name, "");
                        self.provide(owner, package, version, true);
                    }
                    let package = self.number(name, architecture);
                    self.provide(owner, package, version, false);
                }
            }
        }
        self.provide_own(owner, stanza, multi_arch);
        Ok(())
    }

    fn provide_plain(
        &mut self,
        owner: VersionId,
        stanza: &Stanza<'t>,
        name: &'t str,
        version: &'t str,
        multi_arch: MultiArch,
    ) {
        if multi_arch == MultiArch::Allowed {
            let package = self.number(name, "any");
            self.provide(owner, package, version, true);
        }
        let itself = name == stanza.package && (version.is_empty() || version == stanza.version);
        if !itself {
            let package = self.number(name, "");
            self.provide(owner, package, version, false);
        }
        if let Some(package) = self.names.find(name, self.architecture) {
            self.provide(owner, package, version, true);
        }
    }

    fn provide_own(&mut self, owner: VersionId, stanza: &Stanza<'t>, multi_arch: MultiArch) {
        if multi_arch == MultiArch::Allowed {
            let package = self.number(stanza.package, "any");
            self.provide(owner, package, stanza.version, true);
        }
        if let Some(package) = self.names.find(stanza.package, self.architecture) {
            let known = self.versions[owner.0 as usize].provides.iter();
            if !known.clone().any(|at| self.provides[*at as usize].package == package) {
                self.provide(owner, package, stanza.version, true);
            }
        }
    }
}

impl<'t> Stanza<'t> {
    fn read(paragraph: crate::Fields<'t>) -> Self {
        let mut stanza = Self::default();
        for field in paragraph {
            let value = field.value;
            if let Some(at) = RELATIONS.iter().position(|(name, _)| field.is(name)) {
                stanza.relations[at] = value;
                continue;
            }
            match FIELDS.iter().position(|name| field.is(name)) {
                Some(0) => stanza.package = value,
                Some(1) => stanza.version = value,
                Some(2) => stanza.architecture = value,
                Some(3) => stanza.path = value,
                Some(4) => stanza.size = value,
                Some(5) => stanza.sha256 = value,
                Some(6) => stanza.priority = value,
                Some(7) => stanza.multi_arch = value,
                Some(8) => stanza.source = value,
                Some(9) => stanza.provides = value,
                Some(10) => stanza.essential = value == "yes",
                Some(_) => stanza.important |= value == "yes",
                None => {}
            }
        }
        stanza
    }

    fn check(&self) -> Result<(), String> {
        let fit = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.~:".contains(&b))
        };
        let path = |text: &str| {
            !text.is_empty() && !text.starts_with('/') && text.split('/').all(|part| part != "..")
        };
        if !fit(self.package) || self.package.contains(':') {
            return Err("the name is malformed".to_owned());
        }
        if !fit(self.version) {
            return Err("the version is malformed".to_owned());
        }
        if !path(self.path) || self.size.parse::<u64>().is_err() {
            return Err("the path or the size is missing or malformed".to_owned());
        }
        if self.sha256.len() != 64 || !self.sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err("the SHA-256 is missing or malformed".to_owned());
        }
        Ok(())
    }

    fn version(&self, package: PackageId, repository: RepositoryId, dependencies: u32) -> Version<'t> {
        let (source, source_version) = match self.source.split_once('(') {
            Some((name, version)) => (name.trim(), version.trim_end_matches(')').trim()),
            None if self.source.is_empty() => (self.package, self.version),
            None => (self.source, self.version),
        };
        let multi_arch = match self.multi_arch {
            "same" if self.architecture != "all" => MultiArch::Same,
            "foreign" => MultiArch::Foreign,
            "allowed" => MultiArch::Allowed,
            _ => MultiArch::No,
        };
        let priority = match self.priority {
            "" => Priority::Unknown,
            "required" => Priority::Required,
            "important" => Priority::Important,
            "standard" => Priority::Standard,
            "optional" => Priority::Optional,
            _ => Priority::Extra,
        };
        Version {
            package,
            version: self.version,
            architecture: self.architecture,
            multi_arch,
            priority,
            source,
            source_version,
            path: self.path.trim_start_matches("./"),
            size: self.size.parse().unwrap_or(0),
            sha256: self.sha256,
            repositories: vec![repository],
            dependencies: dependencies..dependencies,
            provides: Vec::new(),
        }
    }
}
