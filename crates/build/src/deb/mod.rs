//! Unpacking Debian packages (deb(5), version 2).

mod archive;
mod compression;
mod control;
mod tree;

use crate::{Error, PackageMetadata, Problem};
use archive::Archive;
use control::Control;
use nival_sys::fs;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tree::Tree;

/// The control part of a package is never larger than this.
const CONTROL_LIMIT: u64 = 64 << 20;

/// How much a package may unpack to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all files.
    pub bytes: u64,
    /// Entries.
    pub entries: u64,
    /// How many times the size that a package says it has.
    pub factor: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 << 30, entries: 4_000_000, factor: 4 }
    }
}

impl Limits {
    /// The bytes that a package may unpack to that says it has so many KiB; small ones round up.
    fn bytes_for(&self, declared_kib: Option<u64>) -> u64 {
        let declared =
            declared_kib.map(|kib| kib.saturating_mul(1024).saturating_mul(self.factor) + (64 << 20));
        self.bytes.min(declared.unwrap_or(self.bytes))
    }
}

/// One package to unpack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpack {
    /// The file.
    pub deb: PathBuf,
    /// The folder to make; its parent must be there.
    pub destination: PathBuf,
}

/// Unpacks a package: makes `destination` with the tree `root` and the file `metadata.json` in it.
///
/// Files are 0444 or 0555, folders 0555, all of second 1, as a store wants them; only
/// `destination` itself stays writable. What is half done is taken away on errors.
///
/// # Errors
/// A file that is no package, is damaged or unsafe, or a disk that refuses.
pub fn unpack_deb(deb: &Path, destination: &Path, limits: &Limits) -> Result<PackageMetadata, Error> {
    unpack_until(deb, destination, limits, &AtomicBool::new(false))
}

/// As [`unpack_deb`], until `stop` is set.
pub(crate) fn unpack_until(
    deb: &Path,
    destination: &Path,
    limits: &Limits,
    stop: &AtomicBool,
) -> Result<PackageMetadata, Error> {
    fs::create_dir(destination).map_err(|error| Error::disk(destination, error))?;
    let result = unpack_into(deb, destination, limits, stop);
    if result.is_err() {
        let _ = fs::remove_tree(destination);
    }
    result
}

fn unpack_into(
    deb: &Path,
    destination: &Path,
    limits: &Limits,
    stop: &AtomicBool,
) -> Result<PackageMetadata, Error> {
    let file = File::open(deb).map_err(|error| Error::disk(deb, error))?;
    let unfit = |problem| Error::Package { deb: deb.to_owned(), problem };
    let mut archive = Archive::open(BufReader::with_capacity(1 << 17, file)).map_err(unfit)?;
    let control = read_control(&mut archive).map_err(unfit)?;
    let (compression, data) = archive.part("data.tar").map_err(unfit)?;
    let limit = limits.bytes_for(control.installed_kib);
    let reader = compression::open(&compression, data).map_err(unfit)?;
    let tree =
        Tree::unpack(reader, &destination.join("root"), limit, limits.entries, stop).map_err(|fault| {
            match fault {
                tree::Fault::Problem(problem) => unfit(problem),
                tree::Fault::Disk(path, error) => Error::Disk { path, error },
                tree::Fault::Cancelled => Error::Cancelled,
            }
        })?;
    let metadata = tree.describe(control);
    let path = destination.join("metadata.json");
    fs::write_new(&path, metadata.text().as_bytes(), 0o444).map_err(|error| Error::disk(&path, error))?;
    fs::set_modified(&path, tree::MODIFIED).map_err(|error| Error::disk(&path, error))?;
    Ok(metadata)
}

fn read_control(archive: &mut Archive<BufReader<File>>) -> Result<Control, Problem> {
    let (compression, data) = archive.part("control.tar")?;
    let mut bytes = Vec::new();
    let reader = compression::open(&compression, data)?;
    let read = reader.take(CONTROL_LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|error| Problem::Damaged(format!("control.tar: {error}")))?;
    if bytes.len() as u64 > CONTROL_LIMIT {
        return Err(Problem::TooLarge { limit: CONTROL_LIMIT, unit: "bytes of control files" });
    }
    Control::read(&bytes)
}

/// Unpacks packages on several threads, the largest first; `done` is told the index of each that is.
///
/// # Errors
/// The first fault; what was unpacked before it stays. See [`unpack_deb`].
pub fn unpack_many(
    all: &[Unpack],
    threads: usize,
    limits: &Limits,
    stop: &AtomicBool,
    done: &(dyn Fn(usize) + Sync),
) -> Result<Vec<PackageMetadata>, Error> {
    let mut order: Vec<usize> = (0..all.len()).collect();
    let size = |at: &usize| std::fs::metadata(&all[*at].deb).map_or(0, |metadata| metadata.len());
    order.sort_by_cached_key(|at| std::cmp::Reverse(size(at)));
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let results: Mutex<Vec<Option<PackageMetadata>>> = Mutex::new(vec![None; all.len()]);
    let first: Mutex<Option<Error>> = Mutex::new(None);
    let work = || {
        while !failed.load(Ordering::SeqCst) {
            let Some(at) = order.get(next.fetch_add(1, Ordering::SeqCst)).copied() else { return };
            match unpack_until(&all[at].deb, &all[at].destination, limits, stop) {
                Ok(metadata) => {
                    results.lock().unwrap_or_else(|poisoned| poisoned.into_inner())[at] = Some(metadata);
                    done(at);
                }
                Err(error) => {
                    failed.store(true, Ordering::SeqCst);
                    first.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert(error);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, all.len().max(1)) {
            scope.spawn(work);
        }
    });
    match first.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()) {
        Some(error) => Err(error),
        None => Ok(results
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .into_iter()
            .flatten()
            .collect()),
    }
}
