//! Locked Debian packages as paths of the store.
//!
//! Two derivations stand for a package: one with fixed contents for the archive file,
//! and one that unpacks it. Both are computed from the lock alone, so a path is known
//! before anything is fetched, and a package that is in the store is never fetched again.
//! They are the same ones that `library/packages` makes, to the byte: what machines bring
//! here many at a time is what builds use, and the other way round.

use crate::error::Error;
use nival_build::{Limits, Unpack};
use nival_debian::store_version;
use nival_inputs::{LockedPackage, LockedRelease, LockedRepository};
use nival_store::{LocalStore, Registration};
use nival_store_model::derivation::{Derivation, Modulo, Output, OutputKind};
use nival_store_model::{Algorithm, ContentMethod, Hash, StoreDir, StorePath, StorePathError};
use nival_transport::{Cancel, Progress};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A package and the path that its tree has in the store.
#[derive(Clone, Debug)]
pub struct StoredPackage<'a> {
    /// What is locked.
    pub locked: &'a LockedPackage,
    /// Where its tree lies.
    pub path: StorePath,
    /// Its derivation.
    pub deriver: StorePath,
}

/// How long the parts of bringing packages into the store took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// Fetching.
    pub fetch: Duration,
    /// Unpacking.
    pub unpack: Duration,
    /// Hashing and registering.
    pub register: Duration,
    /// How many packages were not there before.
    pub new: usize,
}

/// The path of a locked package's tree.
///
/// # Errors
/// [`Error::Store`] where name and version make no name of a path.
pub fn stored<'a>(
    dir: &StoreDir,
    locked: &'a LockedPackage,
    repository: &LockedRepository,
) -> Result<StoredPackage<'a>, Error> {
    let (archive, archive_path) = archive(dir, locked, repository)?;
    let mut tree =
        builtin("builtin:unpack-deb", &format!("{}-{}", locked.name, store_version(&locked.version)));
    let archive_drv = archive.path(dir).map_err(named)?;
    tree.input_derivations.insert(archive_drv.clone(), ["out".to_owned()].into());
    for (name, value) in [
        ("archive", dir.print(&archive_path)),
        ("form", nival_build::PACKAGE_FORM.to_owned()),
        ("out", String::new()),
    ] {
        tree.environment.insert(name.into(), value.into_bytes());
    }
    tree.outputs.insert("out".to_owned(), Output { kind: OutputKind::Deferred });
    let fixed = archive.modulo::<StorePathError>(dir, false, |_| Ok(Modulo::Deferred)).map_err(named)?;
    tree.fill_outputs::<StorePathError>(dir, |_| Ok(fixed.clone())).map_err(named)?;
    let path = tree.outputs["out"].path(dir, &tree.name, "out").map_err(named)?;
    let deriver = tree.path(dir).map_err(named)?;
    let path = path.ok_or_else(|| named(StorePathError::BadName(tree.name.clone())))?;
    Ok(StoredPackage { locked, path, deriver })
}

fn named(error: StorePathError) -> Error {
    Error::Store(error.into())
}

/// The derivation of the archive file, whose contents the lock fixes.
fn archive(
    dir: &StoreDir,
    locked: &LockedPackage,
    repository: &LockedRepository,
) -> Result<(Derivation, StorePath), Error> {
    let name = format!("{}_{}_{}.deb", locked.name, store_version(&locked.version), locked.architecture);
    let hash = Hash::parse(&locked.sha256, Some(Algorithm::Sha256))
        .map_err(|_| named(StorePathError::BadHash(locked.sha256.clone())))?;
    let mut drv = builtin("builtin:fetch-debian", &name);
    let output = Output { kind: OutputKind::Fixed { method: ContentMethod::Flat, hash } };
    let path = output.path(dir, &name, "out").map_err(named)?;
    let path = path.ok_or_else(|| named(StorePathError::BadName(name.clone())))?;
    for (key, value) in [
        ("out", dir.print(&path)),
        ("outputHash", locked.sha256.clone()),
        ("outputHashAlgo", "sha256".to_owned()),
        ("outputHashMode", "flat".to_owned()),
        ("path", locked.path.clone()),
        ("repository", locked.repository.clone()),
        ("size", locked.size.to_string()),
        ("dates", repository.date_texts().join(" ")),
    ] {
        drv.environment.insert(key.into(), value.into_bytes());
    }
    for (key, value) in [("url", &repository.url), ("snapshots", &repository.snapshots)] {
        if let Some(value) = value {
            drv.environment.insert(key.into(), value.clone().into_bytes());
        }
    }
    drv.outputs.insert("out".to_owned(), output);
    Ok((drv, path))
}

fn builtin(builder: &str, name: &str) -> Derivation {
    let mut drv = Derivation {
        name: name.to_owned(),
        system: b"builtin".to_vec(),
        builder: builder.into(),
        ..Derivation::default()
    };
    for (key, value) in [("name", name), ("builder", builder), ("system", "builtin")] {
        drv.environment.insert(key.into(), value.into());
    }
    drv
}

type Missing<'a> = BTreeMap<StorePath, StoredPackage<'a>>;

fn not_there<'a>(store: &LocalStore, all: &[StoredPackage<'a>]) -> Result<Missing<'a>, Error> {
    let mut missing = Missing::new();
    for package in all {
        if !store.is_valid(&package.path)? {
            missing.insert(package.path.clone(), package.clone());
        }
    }
    Ok(missing)
}

/// Waits until no other process brings packages into this store; the turn ends with the file.
fn turn(store: &LocalStore) -> Result<std::fs::File, Error> {
    let path = store.state().join("packages.lock");
    let file = nival_sys::fs::open_rw(&path).map_err(|error| Error::Io(path.clone(), error))?;
    file.lock().map_err(|error| Error::Io(path, error))?;
    Ok(file)
}

/// Fetches packages; their files in the same order.
pub type Fetch<'f, 'a> = &'f mut dyn FnMut(&[&'a LockedPackage]) -> Result<Vec<PathBuf>, Error>;

/// Brings packages into the store: those that are not there are fetched by `fetch`, unpacked, and registered in one
/// transaction.
///
/// # Errors
/// What fetching, unpacking or the store raise; packages that were there before stay.
pub fn ensure<'a>(
    store: &LocalStore,
    release: &LockedRelease,
    packages: &[&'a LockedPackage],
    fetch: Fetch<'_, 'a>,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<(Vec<StoredPackage<'a>>, Times), Error> {
    let unknown = LockedRepository::default();
    let of = |locked: &&'a LockedPackage| {
        let repository = release.repositories.get(&locked.repository).unwrap_or(&unknown);
        stored(store.dir(), locked, repository)
    };
    let all = packages.iter().map(of).collect::<Result<Vec<_>, _>>()?;
    let mut missing = not_there(store, &all)?;
    // One process at a time fetches and unpacks; what another one brought meanwhile is not missing any more.
    let _turn = if missing.is_empty() { None } else { Some(turn(store)?) };
    if !missing.is_empty() {
        missing = not_there(store, &all)?;
    }
    let mut times = Times { new: missing.len(), ..Times::default() };
    if missing.is_empty() {
        return Ok((all, times));
    }
    let begin = Instant::now();
    let wanted: Vec<_> = missing.values().map(|package| package.locked).collect();
    let files = fetch(&wanted)?;
    times.fetch = begin.elapsed();
    let begin = Instant::now();
    let mut registrations = Vec::new();
    let mut jobs = Vec::new();
    for (package, deb) in missing.values().zip(&files) {
        let staged = store.staging(package.path.base_name());
        nival_sys::fs::remove_tree(&staged).map_err(|error| Error::Io(staged.clone(), error))?;
        jobs.push(Unpack { deb: deb.clone(), destination: staged.clone() });
        registrations.push(Registration {
            path: package.path.clone(),
            staged,
            references: Vec::new(),
            deriver: Some(package.deriver.clone()),
        });
    }
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let unpacked = {
        progress.begin(jobs.len() as u64, None);
        let done = |at: usize| {
            let name = missing.values().nth(at).map_or("", |package| package.locked.name.as_str());
            progress.file_done(name);
        };
        let unpacked = nival_build::unpack_many(&jobs, threads, &Limits::default(), cancel.flag(), &done);
        progress.end();
        unpacked
    };
    if let Err(error) = unpacked {
        for registration in &registrations {
            let _ = nival_sys::fs::remove_tree(&registration.staged);
        }
        return Err(error.into());
    }
    times.unpack = begin.elapsed();
    let begin = Instant::now();
    store.register(&registrations)?;
    for deb in &files {
        let _ = nival_sys::fs::remove_file(deb);
    }
    times.register = begin.elapsed();
    Ok((all, times))
}
