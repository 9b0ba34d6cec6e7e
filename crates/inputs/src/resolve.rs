//! From requests to a lock.

use crate::index::{IndexSource, Indices, fetch_all};
use crate::{
    ARCHITECTURE, Error, Inputs, Keys, Lock, LockedPackage, LockedRelease, LockedRepository, LockedRoot,
    RELEASES, Repository,
};
use nival_debian::{
    Choice, Options, Pin, RepositoryFacts, RepositoryId, Request, SolveError, Universe, UniverseBuilder,
    VersionId, compare_versions, solve,
};
use nival_transport::Progress;
use std::collections::{BTreeMap, BTreeSet};

/// The priority of what is locked: above all repositories.
const LOCKED_PRIORITY: i32 = 1001;

/// What one root asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootRequest {
    /// The name of the root.
    pub name: String,
    /// The release, such as `trixie`.
    pub release: String,
    /// Names of packages, each with `=VERSION` behind it where one version is wanted.
    /// Those in front choose first where a dependency has alternatives.
    pub packages: Vec<String>,
    /// True where recommended packages are wanted, too.
    pub recommends: bool,
    /// Names of source packages, each with `=VERSION` behind it where one version is wanted.
    pub sources: Vec<String>,
}

/// What of an old lock stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything that can: a root that is covered stays as it is.
    Keep,
    /// Nothing: the newest of everything.
    UpdateAll,
    /// Everything but these packages.
    UpdateNames(Vec<String>),
    /// Everything but what has a security update.
    UpdateSecurity,
}

/// Locks what the roots ask for; roots of the old lock that are not among them stay.
///
/// Needs the network unless the old lock covers everything and is to be kept.
///
/// # Errors
/// See [`Error`]: the mirrors, the signatures, the names, or requests that do not go together.
pub fn resolve(
    inputs: &Inputs<'_>,
    requests: &[RootRequest],
    further: &[Repository],
    old: Option<&Lock>,
    mode: &Mode,
    progress: &dyn Progress,
) -> Result<Lock, Error> {
    let mut lock = old.cloned().unwrap_or_default();
    if let Mode::UpdateNames(names) = mode {
        check_names(&lock, names)?;
    }
    let open: Vec<&RootRequest> =
        requests.iter().filter(|request| *mode != Mode::Keep || !lock.covers_one(request, further)).collect();
    let releases: BTreeSet<&str> = open.iter().map(|request| request.release.as_str()).collect();
    for release in releases {
        let requests: Vec<&RootRequest> = open.iter().filter(|r| r.release == release).copied().collect();
        resolve_release(inputs, &mut lock, release, &requests, further, mode, progress)?;
    }
    lock.forget_unused();
    Ok(lock)
}

fn check_names(lock: &Lock, names: &[String]) -> Result<(), Error> {
    let known: BTreeSet<&str> = lock
        .releases
        .values()
        .flat_map(|release| {
            let packages = release.packages.iter().map(|package| package.name.as_str());
            packages.chain(release.sources.iter().map(|source| source.name.as_str()))
        })
        .collect();
    let Some(name) = names.iter().find(|name| !known.contains(name.as_str())) else { return Ok(()) };
    let mut near: Vec<(i64, &str)> = known
        .iter()
        .map(|known| ((strsim::jaro_winkler(name, known) * 1e6) as i64, *known))
        .filter(|(score, _)| *score > 820_000)
        .collect();
    near.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let nearest = near.into_iter().take(5).map(|(_, known)| known.to_owned()).collect();
    Err(Error::NotLocked { name: name.clone(), nearest })
}

fn resolve_release(
    inputs: &Inputs<'_>,
    lock: &mut Lock,
    release: &str,
    requests: &[&RootRequest],
    further: &[Repository],
    mode: &Mode,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let debian = inputs.archive_keys.clone().map_or_else(Keys::debian, Ok)?;
    let keys: Vec<Keys> =
        further.iter().map(|repository| Keys::parse(&repository.key)).collect::<Result<_, _>>()?;
    let mut sources = debian_sources(inputs, release, &debian)?;
    for (repository, keys) in further.iter().zip(&keys) {
        sources.push(IndexSource {
            name: repository.name.clone(),
            mirrors: vec![repository.url.clone()],
            suite: repository.suite.clone(),
            components: repository.components.clone(),
            keys,
            with_sources: false,
        });
    }
    for source in &mut sources {
        source.with_sources = requests.iter().any(|request| !request.sources.is_empty());
    }
    let own = sources.len() - further.len();
    let indices = fetch_all(inputs, &sources, progress)?;
    let (universe, further_pins) = build_universe(&sources, &indices, further, own);
    let locked = lock.releases.remove(release).unwrap_or_default();
    let mut roots = Vec::new();
    for request in requests {
        roots.push((
            request.name.clone(),
            solve_root(&universe, request, &locked, &further_pins, mode)?,
            *request,
        ));
    }
    let mut repositories: BTreeMap<String, LockedRepository> = BTreeMap::new();
    for (at, source) in sources.iter().enumerate() {
        let plain = || LockedRepository { suite: source.suite.clone(), ..LockedRepository::default() };
        let mut repository =
            at.checked_sub(own).and_then(|at| further.get(at)).map_or_else(plain, Repository::locked);
        if let Some(indices) = indices.get(at) {
            repository.dates.extend(indices.release.date);
            repository.snapshots.clone_from(&indices.release.snapshots);
        }
        repositories.insert(source.name.clone(), repository);
    }
    let before = locked.clone();
    let source_packages = crate::sources::choose(requests, &sources, &indices, &before, mode)?;
    write_release(lock, release, repositories, locked, &universe, roots);
    if let Some(after) = lock.releases.get_mut(release) {
        // Those of other roots stay; what nobody wants is forgotten in the end.
        after.sources = before
            .sources
            .iter()
            .filter(|old| !source_packages.iter().any(|new| new.name == old.name))
            .chain(&source_packages)
            .cloned()
            .collect();
        after.sources.sort();
        keep_dates(&before, after, &universe);
    }
    Ok(())
}

/// Keeps the dates of the old lock where its packages stay: those that today's index has no more are found in archives
/// of past packages by the old dates only, and where nothing changed the lock does not change either.
fn keep_dates(before: &LockedRelease, after: &mut LockedRelease, universe: &Universe<'_>) {
    let of = |release: &LockedRelease, name: &str| -> BTreeSet<LockedPackage> {
        release.packages.iter().filter(|package| package.repository == name).cloned().collect()
    };
    let offered = |package: &LockedPackage| {
        let versions = universe.find(&package.name).map(|id| universe.versions_of(id));
        versions.into_iter().flatten().any(|id| universe.version(*id).version == package.version)
    };
    let all: Vec<String> = after.repositories.keys().cloned().collect();
    for name in all {
        let (old, new) = (of(before, &name), of(after, &name));
        let Some(dates) = before.repositories.get(&name).map(|repository| &repository.dates) else {
            continue;
        };
        let same_sources = after
            .sources
            .iter()
            .filter(|source| source.repository == name)
            .all(|source| before.sources.contains(source));
        let Some(repository) = after.repositories.get_mut(&name) else { continue };
        if new.is_subset(&old) && !new.is_empty() && same_sources {
            repository.dates.clone_from(dates);
        } else if !new.iter().all(offered) || !same_sources {
            repository.dates.extend(dates);
            repository.dates.dedup();
        }
    }
}

/// The main suite, its updates, and security updates: in the order that apt's sources usually have.
fn debian_sources<'k>(
    inputs: &Inputs<'_>,
    release: &str,
    keys: &'k Keys,
) -> Result<Vec<IndexSource<'k>>, Error> {
    if !RELEASES.contains(&release) {
        return Err(Error::UnknownRelease(release.to_owned()));
    }
    let mirrors = &inputs.mirrors;
    if mirrors.main.is_empty() || mirrors.security.is_empty() {
        return Err(Error::NoMirror);
    }
    let source = |name: &str, suite: String, mirrors: &[String]| IndexSource {
        name: name.to_owned(),
        mirrors: mirrors.to_vec(),
        suite,
        components: vec!["main".to_owned()],
        keys,
        with_sources: false,
    };
    Ok(vec![
        source("debian", release.to_owned(), &mirrors.main),
        source("debian-updates", format!("{release}-updates"), &mirrors.main),
        source("debian-security", format!("{release}-security"), &mirrors.security),
    ])
}

fn build_universe<'t>(
    sources: &[IndexSource<'_>],
    indices: &'t [Indices],
    further: &[Repository],
    own: usize,
) -> (Universe<'t>, Vec<Pin>) {
    let mut builder = UniverseBuilder::new(ARCHITECTURE);
    let mut pins = Vec::new();
    for (at, (source, indices)) in sources.iter().zip(indices).enumerate() {
        let added = at.checked_sub(own).and_then(|at| further.get(at));
        let usual = match (indices.release.not_automatic, indices.release.but_automatic_upgrades) {
            (true, true) => 100,
            (true, false) => 1,
            (false, _) => 500,
        };
        let priority =
            added.map_or(usual, |repository| if usual < 500 { usual } else { repository.priority });
        let id = builder.add_repository(RepositoryFacts { name: source.name.clone(), priority });
        for text in &indices.packages {
            builder.add_index(id, text);
        }
        for pin in added.iter().flat_map(|repository| &repository.pins) {
            pins.push(Pin {
                package: pin.package.clone(),
                version: pin.version.clone(),
                repository: Some(id),
                priority: pin.priority,
            });
        }
    }
    (builder.build(), pins)
}

/// Solves one root; where what is locked stands in the way of it, without what is locked.
fn solve_root(
    universe: &Universe<'_>,
    request: &RootRequest,
    locked: &LockedRelease,
    further: &[Pin],
    mode: &Mode,
) -> Result<Vec<Choice>, Error> {
    if request.packages.is_empty() && !request.sources.is_empty() {
        return Ok(Vec::new());
    }
    let kept = locked_pins(universe, request, locked, mode);
    let run = |pins: Vec<Pin>| {
        let options = Options { recommends: request.recommends, essential: true, pins };
        solve(universe, &Request { packages: request.packages.clone(), options })
    };
    let mut result = run(kept.iter().chain(further).cloned().collect());
    if matches!(result, Err(SolveError::Conflict(_))) && !kept.is_empty() {
        result = run(further.to_vec());
    }
    match result {
        Ok(solution) => Ok(solution.choices),
        Err(SolveError::Request(error)) => Err(Error::Request { release: request.release.clone(), error }),
        Err(SolveError::Conflict(conflict)) => Err(Error::Conflict { root: request.name.clone(), conflict }),
    }
}

fn locked_pins(
    universe: &Universe<'_>,
    request: &RootRequest,
    locked: &LockedRelease,
    mode: &Mode,
) -> Vec<Pin> {
    let asked: BTreeSet<&str> =
        request.packages.iter().filter_map(|text| text.split_once('=')).map(|(name, _)| name).collect();
    let stays = |package: &&LockedPackage| match mode {
        Mode::UpdateAll => false,
        Mode::Keep => true,
        Mode::UpdateNames(names) => !names.contains(&package.name),
        Mode::UpdateSecurity => !has_security_update(universe, package),
    };
    locked
        .packages
        .iter()
        .filter(|package| !asked.contains(package.name.as_str()))
        .filter(stays)
        .map(|package| Pin {
            package: package.name.clone(),
            version: Some(package.version.clone()),
            repository: None,
            priority: LOCKED_PRIORITY,
        })
        .collect()
}

fn has_security_update(universe: &Universe<'_>, package: &LockedPackage) -> bool {
    let Some(id) = universe.find(&package.name) else { return false };
    universe.versions_of(id).iter().any(|version| {
        let version = universe.version(*version);
        compare_versions(version.version, &package.version).is_gt()
            && version.repositories.iter().any(|r| universe.repository(*r).name.ends_with("-security"))
    })
}

fn write_release(
    lock: &mut Lock,
    release: &str,
    repositories: BTreeMap<String, LockedRepository>,
    locked: LockedRelease,
    universe: &Universe<'_>,
    roots: Vec<(String, Vec<Choice>, &RootRequest)>,
) {
    let solved: BTreeSet<&str> = roots.iter().map(|(name, ..)| name.as_str()).collect();
    let stay: Vec<String> = lock
        .roots
        .iter()
        .filter(|(name, root)| root.release == release && !solved.contains(name.as_str()))
        .map(|(name, _)| name.clone())
        .collect();
    let mut by_root: Vec<(String, Vec<LockedPackage>, LockedRoot)> = Vec::new();
    for name in stay {
        let Some(root) = lock.roots.remove(&name) else { continue };
        let packages = root.packages.iter().filter_map(|text| locked.find(text)).cloned().collect();
        by_root.push((name, packages, root));
    }
    for (name, choices, request) in roots {
        let packages = choices.iter().map(|choice| locked_package(universe, choice.version)).collect();
        let root = LockedRoot {
            release: release.to_owned(),
            requests: request.packages.clone(),
            recommends: request.recommends,
            sources: request.sources.clone(),
            packages: Vec::new(),
        };
        by_root.push((name, packages, root));
    }
    let all: BTreeSet<LockedPackage> =
        by_root.iter().flat_map(|(_, packages, _)| packages.iter().cloned()).collect();
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for package in &all {
        *count.entry(package.name.as_str()).or_default() += 1;
    }
    for (name, packages, mut root) in by_root {
        let several = |package: &LockedPackage| count.get(package.name.as_str()).is_some_and(|n| *n > 1);
        let text = |p: &LockedPackage| if several(p) { p.with_version() } else { p.name.clone() };
        root.packages = packages.iter().map(text).collect();
        root.packages.sort();
        lock.roots.insert(name, root);
    }
    let packages = all.into_iter().collect();
    let architecture = ARCHITECTURE.to_owned();
    lock.releases.insert(
        release.to_owned(),
        LockedRelease { architecture, repositories, packages, sources: Vec::new() },
    );
}

fn locked_package(universe: &Universe<'_>, id: VersionId) -> LockedPackage {
    let version = universe.version(id);
    let repository = version.repositories.first().copied().unwrap_or(RepositoryId(0));
    LockedPackage {
        name: universe.plain_name(version.package).to_owned(),
        version: version.version.to_owned(),
        architecture: version.architecture.to_owned(),
        repository: universe.repository(repository).name.clone(),
        path: version.path.to_owned(),
        size: version.size,
        sha256: version.sha256.to_ascii_lowercase(),
    }
}
