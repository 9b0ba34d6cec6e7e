//! The numbers of users and groups: chosen once per machine, never changed after.

use crate::error::Doing as _;
use crate::{Error, Manifest, State, state};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The numbers of all users and groups that a machine ever had.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    /// User ids by name.
    pub users: BTreeMap<String, u32>,
    /// Group ids by name.
    pub groups: BTreeMap<String, u32>,
}

const SYSTEM: std::ops::Range<u32> = 100..1000;
const NORMAL: std::ops::Range<u32> = 1000..60000;

impl Ids {
    /// Reads what was chosen before, and chooses what is missing for a manifest; stores it when something was.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn for_manifest(state: &State, manifest: &Manifest) -> Result<Self, Error> {
        let path = state.ids();
        let before: Self = if path.exists() { state::read_json(&path)? } else { Self::default() };
        let now = before.extended(manifest);
        if now != before {
            nival_sys::fs::create_dir_all(state.path()).doing(|| "make the state folder".to_owned())?;
            state::write_json(&path, &now)?;
        }
        Ok(now)
    }

    /// These ids and those that a manifest's users and groups need in addition.
    #[must_use]
    pub fn extended(&self, manifest: &Manifest) -> Self {
        let mut next = self.clone();
        for (name, group) in &manifest.groups {
            if let Some(gid) = group.gid {
                next.groups.insert(name.clone(), gid);
            }
        }
        for (name, user) in &manifest.users {
            if let Some(uid) = user.uid {
                next.users.insert(name.clone(), uid);
            }
        }
        for (name, user) in &manifest.users {
            let range = if user.system { SYSTEM } else { NORMAL };
            let used = |id: u32, next: &Self| {
                next.users.values().any(|used| *used == id) || next.groups.values().any(|used| *used == id)
            };
            if !next.users.contains_key(name) {
                let same =
                    next.groups.get(name).copied().filter(|gid| !next.users.values().any(|id| id == gid));
                let chosen = same.or_else(|| range.clone().find(|id| !used(*id, &next)));
                next.users.insert(name.clone(), chosen.unwrap_or(range.end));
            }
            let group = primary_group(name, &user.group).to_owned();
            if !next.groups.contains_key(&group) && group == *name {
                let uid = next.users[name];
                let free = !next.groups.values().any(|gid| *gid == uid);
                let chosen = if free { Some(uid) } else { range.clone().find(|id| !used(*id, &next)) };
                next.groups.insert(group, chosen.unwrap_or(range.end));
            }
        }
        for (name, group) in &manifest.groups {
            if !next.groups.contains_key(name) {
                let range = if group.system { SYSTEM } else { NORMAL };
                let taken: BTreeSet<u32> = next.groups.values().chain(next.users.values()).copied().collect();
                let chosen = range.clone().find(|id| !taken.contains(id)).unwrap_or(range.end);
                next.groups.insert(name.clone(), chosen);
            }
        }
        next
    }

    /// The id of a user that owns `path`; a plain number stands for itself.
    ///
    /// # Errors
    /// [`Error::Owner`].
    pub fn user(&self, name: &str, path: &str) -> Result<u32, Error> {
        Self::find(&self.users, name, path, "user")
    }

    /// The id of a group that owns `path`; a plain number stands for itself.
    ///
    /// # Errors
    /// [`Error::Owner`].
    pub fn group(&self, name: &str, path: &str) -> Result<u32, Error> {
        Self::find(&self.groups, name, path, "group")
    }

    fn find(ids: &BTreeMap<String, u32>, name: &str, path: &str, kind: &str) -> Result<u32, Error> {
        if name == "root" {
            return Ok(0);
        }
        ids.get(name).copied().or_else(|| name.parse().ok()).ok_or_else(|| Error::Owner {
            path: path.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
        })
    }
}

/// The primary group of a user: the one that is named, else one of the user's own name.
pub(crate) fn primary_group<'a>(user: &'a str, group: &'a str) -> &'a str {
    if group.is_empty() { user } else { group }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Group, User};

    #[test]
    fn ids_stay_when_users_come_and_go() {
        let mut manifest = Manifest::default();
        let system = || User { system: true, ..User::default() };
        manifest.users.insert("postgres".into(), system());
        manifest.users.insert("alice".into(), User::default());
        let first = Ids::default().extended(&manifest);
        assert_eq!((first.users["postgres"], first.groups["postgres"]), (100, 100));
        assert_eq!((first.users["alice"], first.groups["alice"]), (1000, 1000));
        manifest.users.remove("postgres");
        manifest.users.insert("nginx".into(), system());
        manifest.groups.insert("web".into(), Group { system: true, ..Group::default() });
        let second = first.extended(&manifest);
        assert_eq!((second.users["postgres"], second.users["nginx"]), (100, 101));
        assert_eq!(second.groups["web"], 102);
    }
}
