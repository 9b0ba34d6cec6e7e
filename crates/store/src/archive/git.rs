//! The hash of a file or tree in git's form: blobs and trees.

use crate::error::{Doing as _, Error};
use nival_store_model::{Algorithm, Hash, Hasher};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// The hash that git gives a file or tree.
pub(super) fn hash(path: &Path, algorithm: Algorithm) -> Result<Hash, Error> {
    node(path, algorithm).map(|(_, hash)| hash)
}

/// The mode of an entry, and its hash.
fn node(path: &Path, algorithm: Algorithm) -> Result<(&'static str, Hash), Error> {
    let doing = || format!("read `{}`", path.display());
    let metadata = path.symlink_metadata().doing(doing)?;
    let kind = metadata.file_type();
    let mut hasher = Hasher::new(algorithm);
    if kind.is_file() {
        hasher.update(format!("blob {}\0", metadata.len()).as_bytes());
        io::copy(&mut File::open(path).doing(doing)?, &mut hasher).doing(doing)?;
        let executable = metadata.permissions().mode() & 0o100 != 0;
        return Ok((if executable { "100755" } else { "100644" }, hasher.finish()));
    }
    if kind.is_symlink() {
        let target = path.read_link().doing(doing)?;
        hasher.update(format!("blob {}\0", target.as_os_str().len()).as_bytes());
        hasher.update(target.as_os_str().as_bytes());
        return Ok(("120000", hasher.finish()));
    }
    if !kind.is_dir() {
        return Err(Error::Special(path.to_owned()));
    }
    let mut entries = Vec::new();
    for entry in path.read_dir().doing(doing)? {
        let entry = entry.doing(doing)?;
        let (mode, hash) = node(&entry.path(), algorithm)?;
        let name = entry.file_name().as_bytes().to_vec();
        // Folders sort as if a slash stood behind their names.
        let mut key = name.clone();
        if mode == "40000" {
            key.push(b'/');
        }
        entries.push((key, mode, name, hash));
    }
    entries.sort();
    let mut tree = Vec::new();
    for (_, mode, name, hash) in entries {
        tree.extend_from_slice(mode.as_bytes());
        tree.push(b' ');
        tree.extend_from_slice(&name);
        tree.push(0);
        tree.extend_from_slice(hash.digest());
    }
    hasher.update(format!("tree {}\0", tree.len()).as_bytes());
    hasher.update(&tree);
    Ok(("40000", hasher.finish()))
}
