//! Roots: what keeps paths from being collected.
//!
//! They are links below `gcroots` and `profiles` of the state folder (also through one further link, an indirect root),
//! files there that have the name of a path, temporary roots of programs at work, and what running processes use.

use super::GcEvent;
use super::runtime;
use crate::LocalStore;
use crate::error::{Doing as _, Error};
use nival_store_model::StorePath;
use nival_sys::fs as sys;
use nival_sys::lock::{self, Kind};
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

/// One reason for which a path stays.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Root {
    /// Where it comes from.
    pub source: RootSource,
    /// The path that it keeps, with all that this one refers to.
    pub path: StorePath,
}

/// Where a root comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RootSource {
    /// A link or file on the disk.
    Link(PathBuf),
    /// Something that the caller knows of, in its words.
    Named(String),
    /// A program at work, by its number.
    Temporary(u32),
    /// A running process: the file below `/proc` that tells.
    Process(PathBuf),
}

impl std::fmt::Display for RootSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Link(path) | Self::Process(path) => path.display().fmt(f),
            Self::Named(text) => f.write_str(text),
            Self::Temporary(process) => write!(f, "{{temp:{process}}}"),
        }
    }
}

impl LocalStore {
    /// All roots of the store, sorted by where they come from. Links that lead nowhere are removed where Nix removes
    /// them.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Database`].
    pub fn roots(&self, report: &mut dyn FnMut(GcEvent<'_>)) -> Result<Vec<Root>, Error> {
        let mut all = self.lasting_roots(report)?;
        for (path, process) in self.temporary_roots_of_all(report)? {
            all.push(Root { path, source: RootSource::Temporary(process) });
        }
        all.sort();
        all.dedup();
        Ok(all)
    }

    /// Roots but for the temporary ones.
    pub(super) fn lasting_roots(&self, report: &mut dyn FnMut(GcEvent<'_>)) -> Result<Vec<Root>, Error> {
        let mut found = Vec::new();
        for folder in ["gcroots", "profiles"] {
            self.roots_below(&self.state().join(folder), &mut found, report)?;
        }
        for (path, source) in runtime::used_paths(self.dir(), &self.config().physical) {
            if self.is_valid(&path)? {
                found.push(Root { path, source: RootSource::Process(source) });
            }
        }
        Ok(found)
    }

    fn roots_below(
        &self,
        place: &Path,
        found: &mut Vec<Root>,
        report: &mut dyn FnMut(GcEvent<'_>),
    ) -> Result<(), Error> {
        match self.look_at(place, found, report) {
            Err(Error::Io { error, .. }) if is_lasting(&error) => {
                report(GcEvent::Unreadable(place));
                Ok(())
            }
            other => other,
        }
    }

    fn look_at(
        &self,
        place: &Path,
        found: &mut Vec<Root>,
        report: &mut dyn FnMut(GcEvent<'_>),
    ) -> Result<(), Error> {
        let doing = || format!("look for roots in `{}`", place.display());
        let kind = place.symlink_metadata().doing(doing)?.file_type();
        if kind.is_dir() {
            for entry in place.read_dir().doing(doing)? {
                self.roots_below(&entry.doing(doing)?.path(), found, report)?;
            }
        } else if kind.is_symlink() {
            let target = place.read_link().doing(doing)?;
            if self.in_store(&target).is_some() {
                return self.root_to(place, &target, found, report);
            }
            let target = normal(&place.parent().unwrap_or(Path::new("/")).join(target));
            match target.symlink_metadata() {
                Err(_) if place.starts_with(self.state().join("gcroots/auto")) => {
                    report(GcEvent::StaleLink(place, &target));
                    let _ = sys::remove_file(place);
                }
                Err(_) => {}
                Ok(metadata) if metadata.is_symlink() => {
                    let inner = target.read_link().doing(doing)?;
                    if self.in_store(&inner).is_some() {
                        return self.root_to(&target, &inner, found, report);
                    }
                }
                Ok(_) => {}
            }
        } else if let Some(name) = place.file_name().and_then(|name| name.to_str())
            && let Ok(path) = StorePath::parse(name)
            && self.is_valid(&path)?
        {
            found.push(Root { path, source: RootSource::Link(place.to_owned()) });
        }
        Ok(())
    }

    /// The store path that a file lies in, by its logical name.
    pub fn in_store(&self, place: &Path) -> Option<StorePath> {
        self.dir().parse_prefix(place.to_str()?).ok().map(|(path, _)| path)
    }

    fn root_to(
        &self,
        link: &Path,
        target: &Path,
        found: &mut Vec<Root>,
        report: &mut dyn FnMut(GcEvent<'_>),
    ) -> Result<(), Error> {
        let Some(path) = self.in_store(target) else { return Ok(()) };
        if self.is_valid(&path)? {
            found.push(Root { path, source: RootSource::Link(link.to_owned()) });
        } else {
            report(GcEvent::InvalidRoot(link, target));
        }
        Ok(())
    }

    /// The temporary roots of all programs at work, with their numbers; lists of programs that are gone are removed.
    pub(super) fn temporary_roots_of_all(
        &self,
        report: &mut dyn FnMut(GcEvent<'_>),
    ) -> Result<Vec<(StorePath, u32)>, Error> {
        let folder = self.state().join("temproots");
        let doing = || format!("read the temporary roots in `{}`", folder.display());
        let mut found = Vec::new();
        let entries = match folder.read_dir() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
            other => other.doing(doing)?,
        };
        for entry in entries {
            let place = entry.doing(doing)?.path();
            let Some(process) = place.file_name().and_then(|name| name.to_str()?.parse().ok()) else {
                continue;
            };
            let opened = File::options().read(true).append(true).open(&place);
            let mut file = match opened {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                other => other.doing(doing)?,
            };
            if lock::take(&file, Kind::Exclusive, false).doing(doing)? {
                report(GcEvent::StaleTemporary(&place));
                sys::remove_file(&place).doing(doing)?;
                // Tells a program that has just opened it that it is not the file of that name any more.
                let _ = file.write_all(b"d");
                continue;
            }
            let text = std::fs::read(&place).doing(doing)?;
            let complete = text.iter().rposition(|byte| *byte == 0).unwrap_or(0);
            for root in text[..complete].split(|byte| *byte == 0) {
                if let Some(path) =
                    std::str::from_utf8(root).ok().and_then(|root| self.dir().parse(root).ok())
                {
                    found.push((path, process));
                }
            }
        }
        Ok(found)
    }

    /// Makes a link to a path and registers it as an indirect root: removing the link ends the root. Where something
    /// else than a link into the store is in the way it is refused.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::RootInTheWay`].
    pub fn add_indirect_root(&self, link: &Path, path: &StorePath) -> Result<(), Error> {
        let doing = || format!("make the root `{}`", link.display());
        let link = normal(&std::path::absolute(link).doing(doing)?);
        if let Ok(found) = link.symlink_metadata()
            && (!found.is_symlink() || self.in_store(&link.read_link().doing(doing)?).is_none())
        {
            return Err(Error::RootInTheWay(link));
        }
        if let Some(folder) = link.parent() {
            sys::create_dir_all(folder).doing(doing)?;
        }
        // A root that is there after a crash leads to what is registered.
        self.sync_database()?;
        self.rooting(path, || {
            sys::symlink_atomic(Path::new(&self.dir().print(path)), &link).doing(doing)?;
            self.register_indirect_root(&link)
        })
    }

    /// Registers a link as a root; it counts while it leads into the store.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn register_indirect_root(&self, link: &Path) -> Result<(), Error> {
        use std::os::unix::ffi::OsStrExt as _;
        let doing = || format!("register the root `{}`", link.display());
        let hash =
            nival_store_model::Hash::of(nival_store_model::Algorithm::Sha1, link.as_os_str().as_bytes());
        let folder = self.state().join("gcroots/auto");
        sys::create_dir_all(&folder).doing(doing)?;
        sys::symlink_atomic(link, &folder.join(hash.base32())).doing(doing)
    }
}

/// Whether an error will be the same next time.
fn is_lasting(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::PermissionDenied | Kind::NotFound | Kind::NotADirectory)
}

/// A path without `.` and `..`, by its text alone.
fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts
}
