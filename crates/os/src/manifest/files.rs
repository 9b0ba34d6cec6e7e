//! Files, folders and modes that are declared instead of being made by maintainer scripts.

use super::Origin;
use serde::{Deserialize, Serialize};

/// A generated file or link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileDefinition {
    /// What is in it: one of `text`, `link`, `source`.
    #[serde(flatten)]
    pub content: Content,
    /// The permission bits in octal, such as `0644`; means nothing for a link.
    #[serde(default = "file_mode")]
    pub mode: String,
    /// The owner's name.
    #[serde(default = "root")]
    pub user: String,
    /// The group's name.
    #[serde(default = "root")]
    pub group: String,
    /// Where it is defined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origin: Vec<Origin>,
    /// Prefixes of the options that it is made from, such as `services.nginx`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

/// What is in a generated file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Content {
    /// This text.
    Text(String),
    /// A symbolic link to this target.
    Link(String),
    /// A copy of this file of the store.
    Source(String),
}

/// A folder that is made where it is missing; one that exists keeps its contents and gets mode and owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Directory {
    /// Its absolute path, outside of `/usr` and `/etc`.
    pub path: String,
    /// The permission bits in octal.
    #[serde(default = "folder_mode")]
    pub mode: String,
    /// The owner's name.
    #[serde(default = "root")]
    pub user: String,
    /// The group's name.
    #[serde(default = "root")]
    pub group: String,
}

/// Mode and owner of a file that a package brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModeOverride {
    /// The permission bits in octal, such as `4754`.
    pub mode: String,
    /// The owner's name.
    #[serde(default = "root")]
    pub user: String,
    /// The group's name.
    #[serde(default = "root")]
    pub group: String,
}

fn file_mode() -> String {
    "0644".to_owned()
}

fn folder_mode() -> String {
    "0755".to_owned()
}

fn root() -> String {
    "root".to_owned()
}
