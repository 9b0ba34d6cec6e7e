//! A copy of this program, with the loader and libraries that it runs on, for use inside of machines.
//!
//! A machine's own C library may be older than the one that this program was linked
//! with; so the executor of a switch brings everything along that it maps.

use crate::Error;
use crate::error::Doing as _;
use crate::names;
use nival_sys::fs;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Copies this program below `data/runtime` where it is not there yet; gives the folder.
/// `nival` is the program, `loader` the dynamic loader (absent for a static program).
///
/// # Errors
/// When something cannot be read or written.
pub(crate) fn install(data: &Path) -> Result<PathBuf, Error> {
    let doing = || "copy this program for use in machines".to_owned();
    let program = std::env::current_exe().doing(doing)?;
    let files = mapped().doing(doing)?;
    let mut digest = Sha256::new();
    for path in std::iter::once(&program).chain(&files) {
        let about = std::fs::metadata(path).doing(doing)?;
        let facts = (path, about.len(), about.mtime(), about.mtime_nsec(), about.ino());
        digest.update(format!("{facts:?}\n"));
    }
    let folder = data.join("runtime").join(names::hex(&digest.finalize()[..16]));
    if folder.join("nival").exists() {
        return Ok(folder);
    }
    let staged = folder.with_extension(format!("{}", std::process::id()));
    let copy = || -> std::io::Result<()> {
        fs::remove_tree(&staged)?;
        fs::create_dir_all(&staged)?;
        fs::copy_new(&program, &staged.join("nival"), 0o755)?;
        for file in &files {
            let Some(name) = file.file_name() else { continue };
            let loader =
                name.to_string_lossy().starts_with("ld-") || name.to_string_lossy().starts_with("ld.so");
            let name = if loader { "loader".as_ref() } else { name };
            fs::copy_new(file, &staged.join(name), 0o755)?;
        }
        match fs::rename(&staged, &folder) {
            Err(_) if folder.join("nival").exists() => fs::remove_tree(&staged),
            other => other,
        }
    };
    copy().doing(doing)?;
    Ok(folder)
}

/// The shared objects that this process maps, the loader among them.
fn mapped() -> std::io::Result<BTreeSet<PathBuf>> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    let program = std::env::current_exe()?;
    let paths = maps.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let executable = words.nth(1)?.contains('x');
        let path = words.nth(3)?;
        (executable && path.starts_with('/')).then(|| PathBuf::from(path))
    });
    Ok(paths.filter(|path| *path != program).collect())
}
