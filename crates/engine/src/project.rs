//! Finding the configuration that a path names.

use crate::error::Error;
use std::path::{Path, PathBuf};

/// A configuration on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The file that is evaluated.
    pub file: PathBuf,
    /// The folder that it lies in; the lock lies there too.
    pub folder: PathBuf,
    /// The name of its machine where the configuration does not say one.
    pub name: String,
}

const ENTRY_FILES: [&str; 2] = ["configuration.nix", "default.nix"];

impl Project {
    /// Finds the configuration: the file itself, or `configuration.nix` or `default.nix` in a folder.
    ///
    /// # Errors
    /// [`Error::NoConfiguration`], [`Error::Io`].
    pub fn find(path: &Path) -> Result<Self, Error> {
        let missing = || Error::NoConfiguration(path.to_owned());
        let found = path.canonicalize().map_err(|_| missing())?;
        if found.is_dir() {
            let file = ENTRY_FILES.iter().map(|name| found.join(name)).find(|file| file.is_file());
            let name = machine_name(&found.file_name().unwrap_or_default().to_string_lossy());
            return Ok(Self { file: file.ok_or_else(missing)?, folder: found, name });
        }
        let folder = found.parent().unwrap_or(Path::new("/")).to_owned();
        let stem = found.file_stem().unwrap_or_default().to_string_lossy();
        let is_entry = ENTRY_FILES.iter().any(|name| found.ends_with(name));
        let name = if is_entry { folder.file_name().unwrap_or_default().to_string_lossy() } else { stem };
        Ok(Self { name: machine_name(&name), file: found.clone(), folder })
    }

    /// The lock that belongs to the configuration: beside it, named after the file where it is not the folder's own.
    pub fn lock_file(&self) -> PathBuf {
        let is_entry = ENTRY_FILES.iter().any(|name| self.file.ends_with(name));
        if is_entry { self.folder.join("nival.lock") } else { self.file.with_extension("lock") }
    }
}

/// Makes a machine's name of any text: small letters, digits and dashes.
pub fn machine_name(text: &str) -> String {
    let fine = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = text.chars().map(fine).take(63).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "machine".to_owned() } else { name.to_owned() }
}

/// Ten digits that stand for some bytes.
pub fn short_hash(bytes: &[u8]) -> String {
    nival_store_model::Hash::sha256(bytes).base32().chars().take(10).collect()
}
