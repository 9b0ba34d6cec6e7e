//! The files that tell programs about users and groups.

use crate::ids::{Ids, primary_group};
use crate::manifest::User;
use crate::{Error, Manifest};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A generated file with its owner already looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccountFile {
    pub path: String,
    pub text: String,
    pub mode: u32,
    pub group: u32,
}

/// The files below `/etc` that describe the users and groups of a manifest.
pub(crate) fn files(manifest: &Manifest, ids: &Ids) -> Result<Vec<AccountFile>, Error> {
    let members = members(manifest);
    let shadow = ids.groups.get("shadow").copied().unwrap_or(0);
    let mut files = vec![
        file("/etc/passwd", passwd(manifest, ids)?, 0o644, 0),
        file("/etc/group", group(ids, &members), 0o644, 0),
        file("/etc/shadow", shadow_text(manifest), 0o640, shadow),
        file("/etc/gshadow", gshadow(&members), 0o640, shadow),
    ];
    let ranges = sub_ids(manifest);
    files.push(file("/etc/subuid", ranges.clone(), 0o644, 0));
    files.push(file("/etc/subgid", ranges, 0o644, 0));
    for (name, user) in &manifest.users {
        if !user.authorized_keys.is_empty() {
            let text = user.authorized_keys.iter().fold(String::new(), |text, key| text + key.trim() + "\n");
            files.push(file(&format!("/etc/ssh/authorized_keys.d/{name}"), text, 0o644, 0));
        }
    }
    Ok(files)
}

/// The home folder of a user.
pub(crate) fn home(name: &str, user: &User) -> String {
    match (user.home.as_str(), user.system) {
        ("", true) => "/nonexistent".to_owned(),
        ("", false) => format!("/home/{name}"),
        (home, _) => home.to_owned(),
    }
}

fn file(path: &str, text: String, mode: u32, group: u32) -> AccountFile {
    AccountFile { path: path.to_owned(), text, mode, group }
}

/// Every group with its further members; a user's own group is there without being declared.
fn members(manifest: &Manifest) -> BTreeMap<String, BTreeSet<String>> {
    let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, group) in &manifest.groups {
        members.entry(name.clone()).or_default().extend(group.members.iter().cloned());
    }
    for (name, user) in &manifest.users {
        members.entry(primary_group(name, &user.group).to_owned()).or_default();
        for group in &user.groups {
            members.entry(group.clone()).or_default().insert(name.clone());
        }
    }
    members
}

fn passwd(manifest: &Manifest, ids: &Ids) -> Result<String, Error> {
    let mut lines = Vec::new();
    for (name, user) in &manifest.users {
        let uid = ids.user(name, "/etc/passwd")?;
        let gid = ids.group(primary_group(name, &user.group), "/etc/passwd")?;
        let shell = match (user.shell.as_str(), user.system) {
            ("", true) => "/usr/sbin/nologin",
            ("", false) => "/bin/bash",
            (shell, _) => shell,
        };
        let about = plain(&user.description);
        lines.push((uid, format!("{name}:x:{uid}:{gid}:{about}:{}:{shell}\n", home(name, user))));
    }
    lines.sort();
    Ok(lines.into_iter().map(|(_, line)| line).collect())
}

fn group(ids: &Ids, members: &BTreeMap<String, BTreeSet<String>>) -> String {
    let mut lines: Vec<(u32, String)> = members
        .iter()
        .filter_map(|(name, members)| {
            let gid = if name == "root" { 0 } else { *ids.groups.get(name)? };
            Some((gid, format!("{name}:x:{gid}:{}\n", join(members))))
        })
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

fn shadow_text(manifest: &Manifest) -> String {
    manifest.users.iter().fold(String::new(), |mut text, (name, user)| {
        let _ = writeln!(text, "{name}:{}:19000:0:99999:7:::", user.password.as_deref().unwrap_or("*"));
        text
    })
}

fn gshadow(members: &BTreeMap<String, BTreeSet<String>>) -> String {
    members.iter().fold(String::new(), |mut text, (name, members)| {
        let _ = writeln!(text, "{name}:*::{}", join(members));
        text
    })
}

fn sub_ids(manifest: &Manifest) -> String {
    let people = manifest.users.iter().filter(|(name, user)| !user.system && *name != "root");
    people.enumerate().fold(String::new(), |mut text, (index, (name, _))| {
        let _ = writeln!(text, "{name}:{}:65536", 100_000 + index * 65_536);
        text
    })
}

fn join(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ':' | '\n' | '\r')).collect()
}
