//! From a path to everything that its machines consist of: what `up`, `plan`, `switch`, `build` and `lock` share.

use crate::context::{Context, absolute};
use crate::error::{Error, unwritable};
use crate::output::bytes;
use crate::progress::Bar;
use clap::Args;
use nival_build::PackageMetadata;
use nival_engine::{LockedVersions, Machine, Project, Session, packages};
use nival_inputs::{Inputs, Lock, LockedPackage, Mirrors, Mode, PackagePin, Repository, RootRequest};
use nival_store::LocalStore;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Options of every command that may need packages.
#[derive(Args, Clone, Debug, Default)]
pub struct Source {
    /// Fetch Debian packages from this mirror; the default is the one that this host's apt uses
    #[arg(long, value_name = "ADDRESS")]
    pub mirror: Option<String>,
    /// Look for locked packages that mirrors have no more in this archive of past packages, too; `@SNAPSHOTID@` stands
    /// for the time at which they were locked
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "NIVAL_SNAPSHOTS",
        value_delimiter = ' ',
        hide_env_values = true
    )]
    pub snapshots: Vec<String>,
}

/// A project with its machines, before anything is locked.
pub struct Opened {
    pub project: Project,
    pub session: Session,
    pub machines: Vec<Machine>,
}

/// A machine with its finished manifest.
pub struct Realised {
    /// The machine's own name.
    pub name: String,
    /// The name under which the project has it.
    pub key: String,
    pub manifest: Json,
}

/// Evaluates the file and picks machines; all of them where no name is given.
pub fn open(context: &mut Context, path: &Path, names: &[String]) -> Result<Opened, Error> {
    let mut session = context.session()?;
    let found = Project::find(&absolute(path.to_owned())).and_then(|project| {
        let machines = session.machines(&project)?;
        let known: Vec<String> = machines.iter().map(|machine| machine.name().to_owned()).collect();
        if let Some(name) = names.iter().find(|name| !known.contains(name)) {
            return Err(nival_engine::Error::UnknownMachine { name: name.clone(), known });
        }
        Ok((project, machines))
    });
    let (project, mut machines) = found.map_err(|error| context.failed(&session, &error))?;
    if !names.is_empty() {
        machines.retain(|machine| names.iter().any(|name| name == machine.name()));
    }
    Ok(Opened { project, session, machines })
}

/// The name of a machine's root in the lock.
fn root_name(machine: &str, root: &str) -> String {
    if root == "system" { machine.to_owned() } else { format!("{machine}/{root}") }
}

/// What the machines' roots ask for, and the repositories beside Debian's own.
pub fn requests(
    context: &Context,
    opened: &mut Opened,
) -> Result<(Vec<RootRequest>, Vec<Repository>), Error> {
    let (mut requests, mut repositories) = (Vec::new(), BTreeMap::new());
    for machine in &opened.machines {
        let found = machine.roots(&mut opened.session).and_then(|roots| {
            let further = machine.repositories(&mut opened.session)?;
            Ok((roots, further))
        });
        let (roots, further) = found.map_err(|error| context.failed(&opened.session, &error))?;
        requests.extend(roots.into_iter().map(|root| RootRequest {
            name: root_name(machine.name(), &root.name),
            release: root.release,
            packages: root.packages,
            recommends: root.recommends,
            sources: root.sources,
        }));
        for described in further {
            let repository = repository(&described)?;
            repositories.insert(repository.name.clone(), repository);
        }
    }
    Ok((requests, repositories.into_values().collect()))
}

fn repository(described: &Json) -> Result<Repository, Error> {
    let text = |field: &str| described[field].as_str().unwrap_or_default().to_owned();
    let key_file = PathBuf::from(text("key"));
    let key = std::fs::read(&key_file)
        .map_err(|error| Error::from(nival_engine::Error::Io(key_file.clone(), error)))?;
    let number = |value: &Json| value.as_i64().and_then(|n| i32::try_from(n).ok()).unwrap_or(500);
    let pins = described["pins"].as_object().into_iter().flatten();
    Ok(Repository {
        name: text("name"),
        url: text("url"),
        suite: text("suite"),
        components: described["components"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|c| c.as_str().map(str::to_owned))
            .collect(),
        key,
        priority: number(&described["priority"]),
        pins: pins
            .map(|(package, priority)| PackagePin {
                package: package.clone(),
                version: None,
                priority: number(priority),
            })
            .collect(),
    })
}

/// The mirrors of this machine's apt, and what was typed in front of them.
pub fn mirrors(source: &Source) -> Result<Mirrors, Error> {
    let mut mirrors = Mirrors::from_apt(Path::new("/"))?;
    if let Some(address) = &source.mirror {
        mirrors = mirrors.with_main(address);
    }
    mirrors.past.extend(source.snapshots.iter().cloned());
    // A host without apt has no such settings.
    if let Ok(dump) = std::process::Command::new("apt-config").arg("dump").output() {
        mirrors = mirrors.with_apt_settings(&String::from_utf8_lossy(&dump.stdout));
    }
    Ok(mirrors)
}

/// Runs work that needs the network, with mirrors and caches in place.
pub fn with_inputs<T>(
    context: &Context,
    source: &Source,
    work: impl FnOnce(&Inputs<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let transport = context.transport()?;
    let mirrors = mirrors(source)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
    work(&Inputs::new(&transport, context.data.join("cache/indices"), mirrors, now))
}

/// Waits until no other process writes indices to the cache; the turn ends with the file.
fn index_turn(context: &Context) -> Result<std::fs::File, Error> {
    let folder = context.data.join("cache");
    let path = folder.join("indices.lock");
    let open = || {
        nival_sys::fs::create_dir_all(&folder)?;
        let file = nival_sys::fs::open_rw(&path)?;
        file.lock()?;
        Ok(file)
    };
    open().map_err(|error: std::io::Error| Error::plain(unwritable(&path, &error)))
}

/// Reads the lock, or makes what is missing of it, and writes it where it changed.
pub fn lock(
    context: &mut Context,
    opened: &mut Opened,
    source: &Source,
    mode: &Mode,
) -> Result<(Option<Lock>, Lock), Error> {
    let (requests, repositories) =
        context.phase("evaluate what is asked for", |context| requests(context, opened))?;
    let asked = Asked { file: opened.project.lock_file(), requests, repositories };
    lock_asked(context, &asked, source, mode).map_err(|error| marked(context, opened, error))
}

/// The error of a package that cannot be had, with the places where it is asked for.
fn marked(context: &Context, opened: &mut Opened, error: Error) -> Error {
    let entries = nival_inputs::diagnostics::REQUESTS;
    let mut diagnostic = error.shown().diagnostic.clone();
    if !entries.iter().any(|entry| entry.code == diagnostic.entry.code) {
        return error;
    }
    let message = diagnostic.message.clone();
    for name in message.split('`').skip(1).step_by(2) {
        for machine in &opened.machines {
            for (option, span) in machine.places_of(&mut opened.session, name).unwrap_or_default() {
                diagnostic = diagnostic.label(span, format!("`{option}` asks for it"));
            }
        }
    }
    context.marked(&opened.session, diagnostic)
}

/// What a project's file asks of Debian in its attribute `debian`; `None` where it has none.
pub fn packages_asked(context: &Context, session: &mut Session, file: &Path) -> Result<Option<Asked>, Error> {
    let found = session.package_requests(&file.to_string_lossy());
    let Some(found) = found.map_err(|error| context.failed(session, &error))? else { return Ok(None) };
    let request = |root: nival_engine::RootRequest| RootRequest {
        name: root.name,
        release: root.release,
        packages: root.packages,
        recommends: root.recommends,
        sources: root.sources,
    };
    let requests = found.roots.into_iter().map(request).collect();
    Ok(Some(Asked { file: found.lock, requests, repositories: Vec::new() }))
}

/// Locks what a path's file asks for, be it in its attribute `debian` or of machines; the file of the lock, what it was
/// before, and what it is. The machines are opened where it has some.
pub fn lock_path(
    context: &mut Context,
    path: &Path,
    source: &Source,
    mode: &Mode,
) -> Result<(PathBuf, Lock, Lock, Option<Opened>), Error> {
    let mut session = context.session()?;
    if let Ok(project) = Project::find(&absolute(path.to_owned()))
        && let Some(asked) = packages_asked(context, &mut session, &project.file)?
    {
        let (old, new) = context.interruptible(|context| lock_asked(context, &asked, source, mode))?;
        return Ok((asked.file, old.unwrap_or_default(), new, None));
    }
    let mut opened = open(context, path, &[])?;
    let (old, new) = lock(context, &mut opened, source, mode)?;
    Ok((opened.project.lock_file(), old.unwrap_or_default(), new, Some(opened)))
}

/// What is to be locked, and where.
pub struct Asked {
    /// The file of the lock.
    pub file: PathBuf,
    /// What roots ask for.
    pub requests: Vec<RootRequest>,
    /// Repositories beside Debian's own.
    pub repositories: Vec<Repository>,
}

/// As [`lock`], where it is known what is asked for.
pub fn lock_asked(
    context: &mut Context,
    asked: &Asked,
    source: &Source,
    mode: &Mode,
) -> Result<(Option<Lock>, Lock), Error> {
    let Asked { file, requests, repositories } = asked;
    let old = Lock::read(file)?;
    if let (Some(old), Mode::Keep) = (&old, mode)
        && old.covers(requests, repositories)
    {
        return Ok((Some(old.clone()), old.clone()));
    }
    let bar = Bar::new("indices", &context.output);
    let lock = context.phase("fetch indices and choose versions", |context| {
        let _turn = index_turn(context)?;
        with_inputs(context, source, |inputs| {
            Ok(nival_inputs::resolve(inputs, requests, repositories, old.as_ref(), mode, &bar)?)
        })
    })?;
    if old.as_ref() != Some(&lock) {
        lock.write(file)?;
        let count: usize = lock.releases.values().map(|release| release.packages.len()).sum();
        context.output.say(&format!("locked {count} packages in {} ({})", file.display(), bar.summary()));
    }
    Ok((old, lock))
}

/// Brings all locked packages of the machines into the store; the paths by release and package.
fn ensure(
    context: &mut Context,
    lock: &Lock,
    roots: &BTreeSet<String>,
    source: &Source,
) -> Result<Paths, Error> {
    let store = context.store()?;
    let mut paths = Paths::new();
    for (release, locked) in &lock.releases {
        let wanted: BTreeSet<&LockedPackage> = lock
            .roots
            .iter()
            .filter(|(name, root)| roots.contains(*name) && root.release == *release)
            .flat_map(|(name, _)| lock.packages_of(name))
            .collect();
        let wanted: Vec<&LockedPackage> = wanted.into_iter().collect();
        debug_assert!(wanted.len() <= locked.packages.len(), "a root has only packages of its release");
        let download = Bar::new("download", &context.output);
        let unpack = Bar::new("unpack", &context.output);
        let folder = context.data.join("cache/packages");
        let mut fetch = |missing: &[&LockedPackage]| -> Result<Vec<PathBuf>, nival_engine::Error> {
            let fetched = with_inputs(context, source, |inputs| {
                Ok(nival_inputs::fetch(inputs, lock, release, missing, &folder, &download))
            });
            match fetched {
                Ok(files) => Ok(files?),
                Err(error) => Err(nival_engine::Error::Other(Box::new(error.into_diagnostic()))),
            }
        };
        let (stored, times) =
            packages::ensure(&store, locked, &wanted, &mut fetch, &unpack, &context.cancel)?;
        if times.new > 0 {
            let size: u64 = wanted.iter().map(|package| package.size).sum();
            context.add_phase(
                &format!("download {} packages of {release}, {}", times.new, bytes(size)),
                times.fetch,
            );
            context.add_phase("unpack", times.unpack);
            context.add_phase("hash and register", times.register);
            let seconds = (times.unpack + times.register).as_secs_f64();
            context.output.say(&format!(
                "fetched {} in {:.1} s, unpacked {} packages of {release} in {seconds:.1} s",
                bytes(download.bytes()),
                times.fetch.as_secs_f64(),
                times.new
            ));
        }
        for package in stored {
            let key = (release.clone(), package.locked.with_version());
            paths.insert(key, store.dir().print(&package.path));
        }
    }
    Ok(paths)
}

type Paths = BTreeMap<(String, String), String>;

/// Evaluates manifests and joins them with the packages' paths.
fn manifests(
    context: &mut Context,
    opened: &mut Opened,
    lock: &Lock,
    paths: &Paths,
) -> Result<Vec<Realised>, Error> {
    let store = context.store()?;
    let mut realised = Vec::new();
    for machine in &opened.machines {
        machine.set_locked(versions(machine.name(), lock));
        let manifest = machine.manifest(&mut opened.session);
        context.show_messages(&opened.session);
        let manifest = manifest.map_err(|error| context.failed(&opened.session, &error))?;
        for warning in &manifest.warnings {
            context.output.say(&format!("warning: {warning}"));
        }
        let mut json = manifest.json;
        json["system"] = json!(format!("{}-linux", std::env::consts::ARCH));
        json["packages"] = packages_json(&store, lock, machine.name(), paths);
        if let Some(roots) = json["roots"].as_object_mut() {
            for (name, root) in roots {
                root["packages"] = packages_json(&store, lock, &root_name(machine.name(), name), paths);
            }
        }
        let name = json["name"].as_str().unwrap_or(machine.name()).to_owned();
        realised.push(Realised { name, key: machine.name().to_owned(), manifest: json });
    }
    Ok(realised)
}

/// What is locked for a machine, by root and package.
pub fn versions(machine: &str, lock: &Lock) -> LockedVersions {
    let own = |name: &str| match name.strip_prefix(machine) {
        Some("") => Some("system".to_owned()),
        Some(rest) => rest.strip_prefix('/').map(str::to_owned),
        None => None,
    };
    let roots = lock.roots.keys().filter_map(|name| Some((own(name)?, name)));
    roots
        .map(|(root, name)| {
            let packages = lock.packages_of(name);
            (root, packages.into_iter().map(|p| (p.name.clone(), p.version.clone())).collect())
        })
        .collect()
}

/// The packages of a root, each with the packages of the same root that it needs.
fn packages_json(store: &LocalStore, lock: &Lock, root: &str, paths: &Paths) -> Json {
    let release = lock.roots.get(root).map(|root| root.release.clone()).unwrap_or_default();
    let mut packages = Vec::new();
    for package in lock.packages_of(root) {
        let path = paths.get(&(release.clone(), package.with_version())).cloned().unwrap_or_default();
        let metadata = store
            .dir()
            .parse(&path)
            .ok()
            .and_then(|path| PackageMetadata::read(&store.physical(&path).join("metadata.json")).ok());
        packages.push((package, path, metadata.unwrap_or_default()));
    }
    let mut by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (package, _, metadata) in &packages {
        for name in std::iter::once(&package.name).chain(&metadata.provides) {
            by_name.entry(name).or_default().push(&package.name);
        }
    }
    let needed = |metadata: &PackageMetadata| -> BTreeSet<&str> {
        metadata.depends.iter().filter_map(|name| by_name.get(name.as_str())).flatten().copied().collect()
    };
    packages
        .iter()
        .map(|(package, path, metadata)| {
            json!({
                "name": package.name,
                "version": package.version,
                "architecture": package.architecture,
                "path": path,
                "depends": needed(metadata),
            })
        })
        .collect()
}

/// The whole way: evaluate, lock, fetch, unpack, evaluate the rest.
pub fn realise(
    context: &mut Context,
    path: &Path,
    names: &[String],
    source: &Source,
) -> Result<(Project, Vec<Realised>), Error> {
    let (opened, realised) = realise_opened(context, path, names, source)?;
    Ok((opened.project, realised))
}

/// As [`realise`], with the evaluation, for those who ask more of it.
pub fn realise_opened(
    context: &mut Context,
    path: &Path,
    names: &[String],
    source: &Source,
) -> Result<(Opened, Vec<Realised>), Error> {
    let mut opened = context.phase("evaluate the configuration", |context| open(context, path, names))?;
    let (_, lock) = context.interruptible(|context| lock(context, &mut opened, source, &Mode::Keep))?;
    let roots: BTreeSet<String> = {
        let machines: Vec<&str> = opened.machines.iter().map(Machine::name).collect();
        let own = |name: &String| {
            machines.iter().any(|m| name == m || name.strip_prefix(m).is_some_and(|r| r.starts_with('/')))
        };
        lock.roots.keys().filter(|name| own(name)).cloned().collect()
    };
    let paths = context.interruptible(|context| ensure(context, &lock, &roots, source))?;
    let realised =
        context.phase("evaluate the machines", |context| manifests(context, &mut opened, &lock, &paths))?;
    Ok((opened, realised))
}
