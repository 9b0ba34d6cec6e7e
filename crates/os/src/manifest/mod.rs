//! The manifest: everything that one generation of a machine is made of, as plain data.
//!
//! The evaluator writes it, this crate reads it. It names packages by store path and
//! holds the text of every generated file, so that a machine can be composed,
//! compared ([`crate::plan`]) and changed from it with nothing evaluated again.

mod files;
mod service;
mod users;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use files::{Content, Directory, FileDefinition, ModeOverride};
pub use service::{Check, CheckKind, Port, Preflight, Protocol, ReloadOn, Start, UnitDefinition};
pub use users::{Group, User};

/// The version of the form that this crate reads and writes.
pub const VERSION: u32 = 1;

/// One generation of one machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The version of this form: [`VERSION`].
    pub version: u32,
    /// The machine's name, which is its host name too.
    pub name: String,
    /// The Debian release that the machine's own root is made from, such as `trixie`.
    #[serde(default)]
    pub release: String,
    /// The platform, such as `x86_64-linux`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub system: String,
    /// What the machine's own root is composed from.
    #[serde(flatten)]
    pub root: Root,
    /// Users by name; the ids that are not given are chosen once per machine and kept.
    #[serde(default)]
    pub users: BTreeMap<String, User>,
    /// Groups by name.
    #[serde(default)]
    pub groups: BTreeMap<String, Group>,
    /// systemd units by their full name, such as `nginx.service`.
    #[serde(default)]
    pub units: BTreeMap<String, UnitDefinition>,
    /// Units that must never start.
    #[serde(default)]
    pub masks: Vec<String>,
    /// Folders that are made at boot and by a switch, before any unit starts.
    #[serde(default)]
    pub directories: Vec<Directory>,
    /// Further roots by name; units reach them at `/run/nival/roots/NAME`.
    #[serde(default)]
    pub roots: BTreeMap<String, Root>,
    /// What must answer for the machine to count as healthy.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// What is tried in the new root before anything changes.
    #[serde(default)]
    pub preflight: Vec<Preflight>,
    /// The ports that services listen on.
    #[serde(default)]
    pub ports: Vec<Port>,
    /// The service that runs alone, as process 1 would start it, in place of systemd with all units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<Start>,
    /// The secrets of the machine by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, Secret>,
    /// How many generations are kept; 20 where it is missing.
    #[serde(default = "twenty", skip_serializing_if = "is_twenty")]
    pub keep_generations: u32,
    /// The user's definitions by option path: the causes that a plan names.
    #[serde(default)]
    pub definitions: BTreeMap<String, Definition>,
}

/// One secret, apart from what it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Secret {
    /// Whether the machine makes it itself; otherwise it has to be given.
    pub generated: bool,
}

fn twenty() -> u32 {
    20
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_twenty(value: &u32) -> bool {
    *value == twenty()
}

/// What one root is composed from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Root {
    /// The packages, each one layer.
    #[serde(default)]
    pub packages: Vec<Package>,
    /// Generated files by absolute path (below `/etc` or `/usr`).
    #[serde(default)]
    pub files: BTreeMap<String, FileDefinition>,
    /// Links that stand for a choice between programs: `/usr/bin/awk` to `/usr/bin/mawk`.
    #[serde(default)]
    pub alternatives: BTreeMap<String, String>,
    /// File capabilities by path, in the text form of `setcap`.
    #[serde(default)]
    pub capabilities: BTreeMap<String, String>,
    /// Modes and owners of packages' files that differ from what the package says.
    #[serde(default)]
    pub modes: BTreeMap<String, ModeOverride>,
    /// Paths that several packages bring, and the package whose file is taken.
    #[serde(default)]
    pub diversions: BTreeMap<String, String>,
}

/// One package as a store path that holds `root/` and `metadata.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Package {
    /// Its name in its source.
    pub name: String,
    /// Its version in its source's own spelling.
    #[serde(default)]
    pub version: String,
    /// Its architecture in its source's own spelling.
    #[serde(default)]
    pub architecture: String,
    /// Its logical store path: `/nix/store/HASH-NAME`.
    pub path: String,
    /// The names of the packages of this root that it needs; a change of one is a change of all that need it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends: Vec<String>,
}

/// Where something was written by the user or by a module.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Origin {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 where it is not known.
    #[serde(default)]
    pub line: u32,
    /// The column, from 1; 0 where it is not known.
    #[serde(default)]
    pub column: u32,
    /// The option that is defined there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        Ok(())
    }
}

/// One definition that the user wrote.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Definition {
    /// The value, or a short text or digest where it is long.
    pub value: serde_json::Value,
    /// Where it stands; several places where a merged option is defined more than once.
    #[serde(default)]
    pub origin: Vec<Origin>,
}

impl Manifest {
    /// Reads a manifest from JSON and refuses one of another version.
    ///
    /// # Errors
    /// [`crate::Error::Manifest`] with what is wrong and where.
    pub fn from_json(text: &[u8]) -> Result<Self, crate::Error> {
        let manifest: Self =
            serde_json::from_slice(text).map_err(|error| crate::Error::Manifest(error.to_string()))?;
        if manifest.version != VERSION {
            return Err(crate::Error::Manifest(format!(
                "version {} is not {VERSION}, the one that this program knows",
                manifest.version
            )));
        }
        crate::names::check_machine(&manifest.name)?;
        Ok(manifest)
    }

    /// Writes it as JSON, always in the same order.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// All store paths that this generation needs, sorted.
    #[must_use]
    pub fn store_paths(&self) -> Vec<String> {
        let roots = std::iter::once(&self.root).chain(self.roots.values());
        let mut paths: Vec<String> = roots
            .flat_map(|root| {
                let packages = root.packages.iter().map(|package| package.path.clone());
                let sources = root.files.values().filter_map(|file| match &file.content {
                    Content::Source(path) => Some(path.clone()),
                    _ => None,
                });
                packages.chain(sources).collect::<Vec<_>>()
            })
            .collect();
        paths.sort();
        paths.dedup();
        paths
    }
}
