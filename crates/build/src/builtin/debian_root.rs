//! `builtin:debian-root`: the trees of several Debian packages as one, in which programs find what they expect.
//!
//! Files are the packages' own by hard links, where the disk allows that. No maintainer script runs: alternatives are
//! made as links right to their targets, and the links of a merged `/usr` stand before anything else.

use super::Work;
use nival_sys::fs;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Folders that lie in `usr`, and are links on top.
const MERGED: [&str; 4] = ["bin", "sbin", "lib", "lib64"];

/// What the attribute `root` holds, as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The packages' paths by name, each of the form of `builtin:unpack-deb`.
    packages: BTreeMap<String, String>,
    /// Links to make: from a path to its target, where that is there.
    alternatives: BTreeMap<String, String>,
    /// Which package wins a path that several bring.
    diversions: BTreeMap<String, String>,
}

pub(super) fn run(work: &mut Work<'_>) -> Result<(), String> {
    let text = work.wanted("root")?;
    let wanted: Wanted = serde_json::from_str(&text)
        .map_err(|error| format!("the attribute `root` is not what it must be: {error}"))?;
    let out = work.output()?;
    make_folder(&out)?;
    let mut root = Root { out, owners: BTreeMap::new(), diversions: wanted.diversions };
    make_folder(&root.out.join("usr"))?;
    for name in MERGED {
        make_folder(&root.out.join("usr").join(name))?;
        let link = root.out.join(name);
        fs::symlink(&Path::new("usr").join(name), &link).map_err(|error| said(&link, &error))?;
    }
    for (name, path) in &wanted.packages {
        if work.cancel.is_cancelled() {
            return Err("it was cancelled".to_owned());
        }
        let tree = (work.physical)(path).join("root");
        root.add(name, &tree, Path::new(""))?;
    }
    for (link, target) in &wanted.alternatives {
        root.alternative(link, target)?;
    }
    Ok(())
}

fn said(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

fn make_folder(path: &Path) -> Result<(), String> {
    fs::create_dir(path).map_err(|error| said(path, &error))
}

/// The root so far.
struct Root {
    out: PathBuf,
    /// Which package brought a file or link.
    owners: BTreeMap<PathBuf, String>,
    diversions: BTreeMap<String, String>,
}

impl Root {
    /// Adds what lies below a folder of a package.
    fn add(&mut self, package: &str, tree: &Path, below: &Path) -> Result<(), String> {
        let folder = tree.join(below);
        let entries = folder.read_dir().and_then(Iterator::collect::<io::Result<Vec<_>>>);
        for entry in entries.map_err(|error| said(&folder, &error))? {
            let kind = entry.file_type().map_err(|error| said(&entry.path(), &error))?;
            let inner = below.join(entry.file_name());
            let place = self.out.join(&inner);
            let there = place.symlink_metadata().ok();
            if kind.is_dir() {
                match there {
                    None => make_folder(&place)?,
                    Some(there) if there.is_dir() => {}
                    // A link of the root, such as that of a merged folder.
                    Some(_) if place.is_dir() => {}
                    Some(_) => return Err(self.clash(package, &inner)),
                }
                self.add(package, tree, &inner)?;
            } else if there.is_none() {
                put(&entry.path(), &place, kind.is_symlink())?;
                self.owners.insert(inner, package.to_owned());
            } else {
                self.both(package, &entry.path(), &inner)?;
            }
        }
        Ok(())
    }

    /// Decides about a path that a package brings and that is there.
    fn both(&mut self, package: &str, source: &Path, inner: &Path) -> Result<(), String> {
        let place = self.out.join(inner);
        match self.diversions.get(&format!("/{}", inner.display())) {
            Some(winner) if winner == package => {
                fs::remove_file(&place).map_err(|error| said(&place, &error))?;
                put(source, &place, source.is_symlink())?;
                self.owners.insert(inner.to_owned(), package.to_owned());
                return Ok(());
            }
            Some(_) => return Ok(()),
            None => {}
        }
        let equal = match (source.read_link(), place.read_link()) {
            (Ok(first), Ok(second)) => first == second,
            (Err(_), Err(_)) => {
                matches!((std::fs::read(source), std::fs::read(&place)), (Ok(a), Ok(b)) if a == b)
            }
            _ => false,
        };
        if equal { Ok(()) } else { Err(self.clash(package, inner)) }
    }

    fn clash(&self, package: &str, inner: &Path) -> String {
        let first = self.owners.get(inner).map_or("the root itself", String::as_str);
        let inner = inner.display();
        format!(
            "`/{inner}` is of `{first}` and of `{package}`: leave one of them out, or say in `diversions` whose it is"
        )
    }

    /// Makes the link of an alternative, where its target is there and nothing else is in its place.
    fn alternative(&self, link: &str, target: &str) -> Result<(), String> {
        let inside = |path: &str| self.out.join(path.trim_start_matches('/'));
        let (place, wanted) = (inside(link), inside(target));
        if wanted.symlink_metadata().is_err() || place.symlink_metadata().is_ok() {
            return Ok(());
        }
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(|error| said(parent, &error))?;
        }
        fs::symlink(Path::new(target), &place).map_err(|error| said(&place, &error))
    }
}

/// Brings a file or link of a package to its place.
fn put(source: &Path, place: &Path, is_link: bool) -> Result<(), String> {
    if is_link {
        let target = source.read_link().map_err(|error| said(source, &error))?;
        return fs::symlink(&target, place).map_err(|error| said(place, &error));
    }
    // The disk may not link: between file systems, too often, or files of somebody else.
    if fs::hard_link(source, place).is_ok() {
        return Ok(());
    }
    let metadata = source.symlink_metadata().map_err(|error| said(source, &error))?;
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
    fs::copy_new(source, place, mode).map_err(|error| said(place, &error))
}
