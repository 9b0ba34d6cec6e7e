//! What a package says beside its files.

use crate::Error;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What a package says beside its files; all lists are sorted, and paths have no slash in front.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageMetadata {
    /// The name.
    pub package: String,
    /// The version.
    pub version: String,
    /// The architecture.
    pub architecture: String,
    /// Files that are configuration.
    pub conffiles: Vec<String>,
    /// What differs from 0755 for folders and programs, 0644 for files, and root:root.
    pub attributes: BTreeMap<String, Attributes>,
    /// Folders with nothing in them.
    pub empty_directories: Vec<String>,
    /// Names of files in `usr/lib/sysusers.d`.
    pub sysusers: Vec<String>,
    /// Names of files in `usr/lib/tmpfiles.d`.
    pub tmpfiles: Vec<String>,
    /// Names of files and links in `usr/lib/systemd/system`.
    pub units: Vec<String>,
    /// Names of files and links in `usr/lib/systemd/user`.
    pub user_units: Vec<String>,
    /// The lines of the control file `triggers`.
    pub triggers: Vec<String>,
    /// Names of packages that it needs, all alternatives among them.
    pub depends: Vec<String>,
    /// Names that it stands for.
    pub provides: Vec<String>,
    /// Names of the maintainer scripts, none of which runs.
    pub maintainer_scripts: Vec<String>,
}

/// The mode and owner of a file, folder or link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attributes {
    /// The twelve permission bits; always 0777 for links.
    pub mode: u32,
    /// The owner's name, or number where the package has no name.
    pub user: String,
    /// The group's name, or number where the package has no name.
    pub group: String,
}

impl PackageMetadata {
    /// Reads a `metadata.json`.
    ///
    /// # Errors
    /// A file that cannot be read or is none.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|error| Error::disk(path, error))?;
        serde_json::from_slice(&bytes).map_err(|error| Error::disk(path, error.into()))
    }

    /// The text of a `metadata.json`.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}
