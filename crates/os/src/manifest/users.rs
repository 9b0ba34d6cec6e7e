//! Users and groups.

use serde::{Deserialize, Serialize};

/// A user; its name is the key that it stands under.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct User {
    /// The id; where it is missing, one is chosen at the first generation and never changes.
    pub uid: Option<u32>,
    /// The primary group; where it is empty, a group of the user's own name.
    pub group: String,
    /// Further groups.
    pub groups: Vec<String>,
    /// The home folder; where it is empty, `/home/NAME`, and `/nonexistent` for a system user.
    pub home: String,
    /// The login shell; where it is empty, `/bin/bash`, and `/usr/sbin/nologin` for a system user.
    pub shell: String,
    /// The full name or what the user is for.
    pub description: String,
    /// The password's hash as in shadow(5); where it is missing, no password logs in.
    pub password: Option<String>,
    /// The keys that log in by ssh: written to `/etc/ssh/authorized_keys.d/NAME`.
    pub authorized_keys: Vec<String>,
    /// Whether this is a system user (its id is below 1000 and it has no sub-ids).
    pub system: bool,
    /// Whether the home folder is made.
    pub create_home: bool,
}

/// A group; its name is the key that it stands under.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Group {
    /// The id; where it is missing, one is chosen at the first generation and never changes.
    pub gid: Option<u32>,
    /// Members beyond those whose `groups` name it.
    pub members: Vec<String>,
    /// Whether this is a system group (its id is below 1000).
    pub system: bool,
}
