//! Copying what a program that keeps versions tracks, as it lies in the user's folder.

use crate::fetchers::error::{At as _, Error};
use nival_sys::fs;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Copies one file or link with the folders above it; what is not there, or is neither, is left out.
pub(super) fn copy_one(folder: &Path, to: &Path, path: &[u8]) -> Result<(), Error> {
    let path = Path::new(OsStr::from_bytes(path));
    let (from, to) = (folder.join(path), to.join(path));
    let Ok(metadata) = from.symlink_metadata() else { return Ok(()) };
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).at(parent)?;
    }
    if metadata.is_symlink() {
        let target = from.read_link().at(&from)?;
        return fs::symlink(&target, &to).at(&to);
    }
    if !metadata.is_file() {
        return Ok(());
    }
    let mode = if metadata.permissions().mode() & 0o100 != 0 { 0o755 } else { 0o644 };
    fs::copy_new(&from, &to, mode).at(&to)
}
