//! The tree of a package, written entry by entry.
//!
//! What was made is remembered by path, and an entry is only written below folders that
//! this package made itself: nothing is ever written through a link.

use super::control::Control;
use crate::{Attributes, PackageMetadata, Problem};
use nival_sys::fs;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};
use tar::EntryType;

/// When everything in a store was made.
pub(super) const MODIFIED: i64 = 1;
const BUFFER: usize = 1 << 17;
const LONGEST_PATH: usize = 4096;
/// Folders that lie in `usr` now, and were on top once.
const MERGED: [&str; 7] = ["bin", "sbin", "lib", "lib32", "lib64", "libo32", "libx32"];
/// Folders that are links on every system now, to what lives only as long as it runs.
const DROPPED: [&str; 2] = ["var/run", "var/lock"];

/// What was made at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Folder,
    File,
    Link,
}

/// Why the tree could not be written.
#[derive(Debug)]
pub(super) enum Fault {
    Problem(Problem),
    Disk(PathBuf, io::Error),
    Cancelled,
}

/// The tree so far.
pub(super) struct Tree {
    root: PathBuf,
    made: BTreeMap<String, Kind>,
    attributes: BTreeMap<String, Attributes>,
    bytes_left: u64,
    limit: u64,
    buffer: Vec<u8>,
}

/// What an entry says, checked and brought to its place.
struct Item {
    path: String,
    attributes: Attributes,
    usual: bool,
}

fn damaged(error: io::Error) -> Fault {
    let reason = match error.kind() {
        io::ErrorKind::UnexpectedEof => "it ends early".to_owned(),
        _ => error.to_string(),
    };
    Fault::Problem(Problem::Damaged(format!("data.tar: {reason}")))
}

fn refuse(path: &str, reason: impl Into<String>) -> Fault {
    Fault::Problem(Problem::Unsafe { path: path.to_owned(), reason: reason.into() })
}

impl Tree {
    /// Writes the tree that `reader` holds as a tar archive to a new folder `root`.
    pub(super) fn unpack(
        reader: impl Read,
        root: &Path,
        limit: u64,
        entries: u64,
        stop: &AtomicBool,
    ) -> Result<Self, Fault> {
        let mut tree = Self {
            root: root.to_owned(),
            made: BTreeMap::new(),
            attributes: BTreeMap::new(),
            bytes_left: limit,
            limit,
            buffer: vec![0; BUFFER],
        };
        fs::create_dir(root).map_err(|error| Fault::Disk(root.to_owned(), error))?;
        let mut archive = tar::Archive::new(reader);
        let mut count = 0;
        for entry in archive.entries().map_err(damaged)? {
            if stop.load(Ordering::Relaxed) {
                return Err(Fault::Cancelled);
            }
            count += 1;
            if count > entries {
                return Err(Fault::Problem(Problem::TooLarge { limit: entries, unit: "entries" }));
            }
            tree.take(&mut entry.map_err(damaged)?)?;
        }
        tree.drain(&mut archive.into_inner())?;
        tree.seal()?;
        Ok(tree)
    }

    /// Reads what follows the archive: compressed data is checked at its very end only.
    fn drain(&mut self, reader: &mut impl Read) -> Result<(), Fault> {
        loop {
            let count = reader.read(&mut self.buffer).map_err(damaged)?;
            if count == 0 {
                return Ok(());
            }
            self.count(count as u64)?;
        }
    }

    fn count(&mut self, bytes: u64) -> Result<(), Fault> {
        let too_large = Problem::TooLarge { limit: self.limit, unit: "bytes" };
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(Fault::Problem(too_large))?;
        Ok(())
    }

    fn take(&mut self, entry: &mut tar::Entry<'_, impl Read>) -> Result<(), Fault> {
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::XGlobalHeader) {
            return Ok(());
        }
        let shown = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let named = clean(&entry.path_bytes()).map_err(|reason| refuse(&shown, reason))?;
        let folder = kind == EntryType::Directory;
        let Some(path) = place(&named, folder) else { return Ok(()) };
        if path.is_empty() {
            return if folder { Ok(()) } else { Err(refuse(&shown, "takes the place of the root")) };
        }
        let attributes = attributes(entry.header(), kind).map_err(damaged)?;
        let default = match kind {
            EntryType::Symlink => 0o777,
            EntryType::Directory => 0o755,
            _ if attributes.mode & 0o111 != 0 => 0o755,
            _ => 0o644,
        };
        let usual = attributes.mode == default && attributes.user == "root" && attributes.group == "root";
        let item = Item { path, attributes, usual };
        match kind {
            EntryType::Directory => self.folder(item, &shown),
            EntryType::Regular | EntryType::Continuous => self.file(entry, item, &shown),
            EntryType::Symlink => self.symlink(entry, item, &shown),
            EntryType::Link => self.hard_link(entry, &item, &shown),
            EntryType::Char | EntryType::Block => Err(refuse(&shown, "is a device")),
            EntryType::Fifo => Err(refuse(&shown, "is a named pipe")),
            _ => Err(refuse(&shown, "is of a kind that packages do not have")),
        }
    }

    fn note(&mut self, item: Item, kind: Kind) {
        if !item.usual {
            self.attributes.insert(item.path.clone(), item.attributes);
        }
        self.made.insert(item.path, kind);
    }

    /// Makes the folders above a path, and refuses to pass anything but a folder.
    fn make_parents(&mut self, path: &str, shown: &str) -> Result<(), Fault> {
        for (at, _) in path.match_indices('/') {
            let parent = &path[..at];
            match self.made.get(parent) {
                Some(Kind::Folder) => {}
                Some(Kind::Link) => return Err(refuse(shown, format!("lies below the link `{parent}`"))),
                Some(Kind::File) => return Err(refuse(shown, format!("lies below the file `{parent}`"))),
                None => {
                    self.make_folder(parent)?;
                    self.made.insert(parent.to_owned(), Kind::Folder);
                }
            }
        }
        Ok(())
    }

    fn make_folder(&self, path: &str) -> Result<(), Fault> {
        let path = self.root.join(path);
        fs::create_dir(&path).map_err(|error| Fault::Disk(path, error))
    }

    fn folder(&mut self, item: Item, shown: &str) -> Result<(), Fault> {
        self.make_parents(&item.path, shown)?;
        match self.made.get(&item.path) {
            Some(Kind::Folder) => {}
            Some(_) => return Err(refuse(shown, "is there twice, as a folder and as something else")),
            None => self.make_folder(&item.path)?,
        }
        self.note(item, Kind::Folder);
        Ok(())
    }

    fn free(&mut self, path: &str, shown: &str) -> Result<PathBuf, Fault> {
        self.make_parents(path, shown)?;
        if self.made.contains_key(path) {
            return Err(refuse(shown, "is there twice"));
        }
        Ok(self.root.join(path))
    }

    fn file(&mut self, entry: &mut tar::Entry<'_, impl Read>, item: Item, shown: &str) -> Result<(), Fault> {
        let path = self.free(&item.path, shown)?;
        let mode = if item.attributes.mode & 0o111 != 0 { 0o555 } else { 0o444 };
        let size = entry.size();
        self.count(size)?;
        let failed = |error| Fault::Disk(path.clone(), error);
        let mut file = fs::create_new(&path, mode).map_err(failed)?;
        let mut left = size;
        while left > 0 {
            let part = self.buffer.len().min(usize::try_from(left).unwrap_or(BUFFER));
            let count = entry.read(&mut self.buffer[..part]).map_err(damaged)?;
            if count == 0 {
                return Err(damaged(io::ErrorKind::UnexpectedEof.into()));
            }
            file.write_all(&self.buffer[..count]).map_err(failed)?;
            left -= count as u64;
        }
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        file.set_permissions(permissions).map_err(failed)?;
        file.set_modified(UNIX_EPOCH + Duration::from_secs(MODIFIED.unsigned_abs())).map_err(failed)?;
        self.note(item, Kind::File);
        Ok(())
    }

    /// Links may lead anywhere: they are data until a system is composed, and nothing is written through them.
    fn symlink(
        &mut self,
        entry: &mut tar::Entry<'_, impl Read>,
        item: Item,
        shown: &str,
    ) -> Result<(), Fault> {
        let target = entry.link_name_bytes().map(|target| target.into_owned()).unwrap_or_default();
        let target =
            String::from_utf8(target).map_err(|_| refuse(shown, "leads to a name that is no UTF-8"))?;
        if target.is_empty() || target.len() > LONGEST_PATH {
            return Err(refuse(shown, "leads nowhere"));
        }
        if leaves(&item.path, &target) {
            return Err(refuse(shown, format!("leads out of its root, to `{target}`")));
        }
        let path = self.free(&item.path, shown)?;
        fs::symlink_dated(Path::new(&target), &path, MODIFIED).map_err(|error| Fault::Disk(path, error))?;
        self.note(item, Kind::Link);
        Ok(())
    }

    fn hard_link(
        &mut self,
        entry: &mut tar::Entry<'_, impl Read>,
        item: &Item,
        shown: &str,
    ) -> Result<(), Fault> {
        let target = entry.link_name_bytes().map(|target| target.into_owned()).unwrap_or_default();
        let target =
            clean(&target).map_err(|reason| refuse(shown, format!("links to a file that {reason}")))?;
        let target = place(&target, false).unwrap_or_default();
        if self.made.get(&target) != Some(&Kind::File) {
            return Err(refuse(shown, format!("links to `{target}`, which is no file of this package")));
        }
        let path = self.free(&item.path, shown)?;
        fs::hard_link(&self.root.join(&target), &path).map_err(|error| Fault::Disk(path, error))?;
        if let Some(attributes) = self.attributes.get(&target).cloned() {
            self.attributes.insert(item.path.clone(), attributes);
        }
        self.made.insert(item.path.clone(), Kind::File);
        Ok(())
    }

    /// Makes all folders read-only, the deepest first.
    fn seal(&self) -> Result<(), Fault> {
        let folders = self.made.iter().rev().filter(|(_, kind)| **kind == Kind::Folder);
        for path in folders.map(|(path, _)| self.root.join(path)).chain([self.root.clone()]) {
            fs::seal_dir(&path, 0o555, MODIFIED).map_err(|error| Fault::Disk(path, error))?;
        }
        Ok(())
    }

    /// What is to be known of the package beside its tree.
    pub(super) fn describe(self, control: Control) -> PackageMetadata {
        let within = |folder: &str| -> Vec<String> {
            let prefix = format!("{folder}/");
            let below = self.made.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix));
            below
                .filter(|(_, kind)| **kind != Kind::Folder)
                .map(|(path, _)| path[prefix.len()..].to_owned())
                .filter(|name| !name.contains('/'))
                .collect()
        };
        let parents: BTreeSet<&str> =
            self.made.keys().filter_map(|path| path.rsplit_once('/')).map(|(parent, _)| parent).collect();
        let empty = self
            .made
            .iter()
            .filter(|(path, kind)| **kind == Kind::Folder && !parents.contains(path.as_str()))
            .map(|(path, _)| path.clone())
            .collect();
        PackageMetadata {
            package: control.package,
            version: control.version,
            architecture: control.architecture,
            conffiles: control.conffiles,
            empty_directories: empty,
            sysusers: within("usr/lib/sysusers.d"),
            tmpfiles: within("usr/lib/tmpfiles.d"),
            units: within("usr/lib/systemd/system"),
            user_units: within("usr/lib/systemd/user"),
            triggers: control.triggers,
            depends: control.depends,
            provides: control.provides,
            maintainer_scripts: control.scripts,
            attributes: self.attributes,
        }
    }
}

/// The path of an entry without `./` in front and slashes at the end.
fn clean(path: &[u8]) -> Result<String, &'static str> {
    let path = std::str::from_utf8(path).map_err(|_| "has a name that is no UTF-8")?;
    if path.starts_with('/') {
        return Err("is an absolute path");
    }
    if path.len() > LONGEST_PATH {
        return Err("has too long a path");
    }
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err("goes up by `..`"),
            part if part.len() > 255 => return Err("has too long a name"),
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// Where an entry goes: into `usr` if that is where its folder lies now; `None` where it is dropped.
fn place(path: &str, folder: bool) -> Option<String> {
    let (first, below) = path.split_once('/').map_or((path, false), |(first, _)| (first, true));
    if MERGED.contains(&first) && (folder || below) {
        return Some(format!("usr/{path}"));
    }
    let below = |name: &str| path.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
    let dropped = DROPPED.iter().any(|name| (path == *name && folder) || below(name));
    if dropped { None } else { Some(path.to_owned()) }
}

/// True where a relative link has more `..` than there are folders above it.
fn leaves(path: &str, target: &str) -> bool {
    if target.starts_with('/') {
        return false;
    }
    let mut depth = path.matches('/').count();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return true,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

fn attributes(header: &tar::Header, kind: EntryType) -> io::Result<Attributes> {
    let name = |bytes: Option<&[u8]>, id: u64| match bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()) {
        _ if id == 0 => "root".to_owned(),
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => id.to_string(),
    };
    let mode = if kind == EntryType::Symlink { 0o777 } else { header.mode()? & 0o7777 };
    Ok(Attributes {
        mode,
        user: name(header.username_bytes(), header.uid()?),
        group: name(header.groupname_bytes(), header.gid()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_and_placed() {
        assert_eq!(clean(b"./usr//bin/").as_deref(), Ok("usr/bin"));
        for bad in [&b"/etc"[..], b"a/../b", b"..", b"\xff"] {
            assert!(clean(bad).is_err());
        }
        assert_eq!(place("bin/sh", false).as_deref(), Some("usr/bin/sh"));
        assert_eq!(place("bin", true).as_deref(), Some("usr/bin"));
        assert_eq!(place("bin", false).as_deref(), Some("bin"));
        assert_eq!(place("var/run", true), None);
        assert_eq!(place("var/run/x", false), None);
        assert_eq!(place("var/run", false).as_deref(), Some("var/run"));
        assert_eq!(place("var/runner", true).as_deref(), Some("var/runner"));
    }

    #[test]
    fn links_that_leave_are_found() {
        assert!(!leaves("usr/lib/a", "../share/b"));
        assert!(!leaves("usr/lib/a", "/etc/b"));
        assert!(!leaves("a", "b/../c"));
        assert!(leaves("usr/a", "../../etc"));
        assert!(leaves("a", ".."));
    }
}
