//! The form that files have in a store: read-only, the first second of 1970, no other marks.

use crate::error::{Doing as _, Error};
use nival_sys::fs as sys;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Brings a tree into the store's form: modes 0444 or 0555, modification time 1.
///
/// # Errors
/// [`Error::Io`], [`Error::Special`].
pub fn canonicalise(path: &Path) -> Result<(), Error> {
    let doing = || format!("prepare `{}` for the store", path.display());
    let metadata = path.symlink_metadata().doing(doing)?;
    let kind = metadata.file_type();
    if kind.is_dir() {
        let entries: Vec<_> = path.read_dir().and_then(Iterator::collect).doing(doing)?;
        for entry in entries {
            canonicalise(&entry.path())?;
        }
    } else if !kind.is_file() && !kind.is_symlink() {
        return Err(Error::Special(path.to_owned()));
    }
    if !kind.is_symlink() {
        let mode = metadata.permissions().mode() & 0o7777;
        let wanted = if kind.is_dir() || mode & 0o100 != 0 { 0o555 } else { 0o444 };
        if mode != wanted {
            sys::set_mode(path, wanted).doing(doing)?;
        }
    }
    sys::set_modified(path, 1).doing(doing)
}
