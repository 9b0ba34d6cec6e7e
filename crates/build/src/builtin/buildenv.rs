//! `builtin:buildenv`: one folder with links to what several packages bring.

use super::Work;
use nival_sys::fs;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A package of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its path, as links are to name it.
    pub path: String,
    /// Whether it counts.
    pub active: bool,
    /// Which of two that bring the same file wins: the lower number.
    pub priority: i64,
}

pub(super) fn run(work: &mut Work<'_>) -> Result<(), String> {
    let out = work.output()?;
    fs::create_dir_all(&out).map_err(|error| error.to_string())?;
    let packages = parse(&work.wanted("derivations")?)?;
    let mut said = Vec::new();
    link_packages(&out, packages, work.physical, &mut |text| said.push(text.to_owned()))?;
    for text in said {
        (work.say)(&text);
    }
    let manifest = work.wanted("manifest")?;
    fs::symlink(Path::new(&manifest), &out.join("manifest.nix")).map_err(|error| error.to_string())
}

fn parse(text: &str) -> Result<Vec<Package>, String> {
    let wrong = || "the attribute `derivations` is malformed".to_owned();
    let mut words = text.split_ascii_whitespace();
    let mut packages = Vec::new();
    while let Some(active) = words.next() {
        let priority = words.next().and_then(|word| word.parse().ok()).ok_or_else(wrong)?;
        let outputs: usize = words.next().and_then(|word| word.parse().ok()).ok_or_else(wrong)?;
        for _ in 0..outputs {
            let path = words.next().ok_or_else(wrong)?.to_owned();
            packages.push(Package { path, active: active != "false", priority });
        }
    }
    Ok(packages)
}

/// Fills a folder with links to what packages bring, and to what those want to be installed with them. `physical` tells
/// where a path lies on the disk.
///
/// # Errors
/// A text where two packages of the same priority bring the same file, or a file meets a folder.
pub fn link_packages(
    out: &Path,
    mut packages: Vec<Package>,
    physical: &dyn Fn(&str) -> PathBuf,
    say: &mut dyn FnMut(&str),
) -> Result<(), String> {
    packages.sort_by(|a, b| (a.priority, &a.path).cmp(&(b.priority, &b.path)));
    let mut linker = Linker { out, physical, say, placed: BTreeMap::new() };
    let mut done = BTreeSet::new();
    let mut postponed = BTreeSet::new();
    for package in packages.into_iter().filter(|package| package.active) {
        linker.package(&package.path, package.priority, &mut done, &mut postponed)?;
    }
    let mut priority = 1000;
    while !postponed.is_empty() {
        for path in std::mem::take(&mut postponed) {
            linker.package(&path, priority, &mut done, &mut postponed)?;
            priority += 1;
        }
    }
    Ok(())
}

struct Linker<'a> {
    out: &'a Path,
    physical: &'a dyn Fn(&str) -> PathBuf,
    say: &'a mut dyn FnMut(&str),
    /// What stands at each place of the environment.
    placed: BTreeMap<PathBuf, (String, i64)>,
}

/// Files that say something of one package, and would clash in an environment.
const LEFT_OUT: [&str; 7] = [
    "/propagated-build-inputs",
    "/nix-support",
    "/perllocal.pod",
    "/info/dir",
    "/log",
    "/manifest.nix",
    "/manifest.json",
];

impl Linker<'_> {
    fn package(
        &mut self,
        path: &str,
        priority: i64,
        done: &mut BTreeSet<String>,
        postponed: &mut BTreeSet<String>,
    ) -> Result<(), String> {
        if !done.insert(path.to_owned()) {
            return Ok(());
        }
        self.folder(path, Path::new(""), priority)?;
        let wanted = format!("{path}/nix-support/propagated-user-env-packages");
        let text = std::fs::read_to_string((self.physical)(&wanted)).unwrap_or_default();
        postponed
            .extend(text.split_ascii_whitespace().map(str::to_owned).filter(|path| !done.contains(path)));
        Ok(())
    }

    fn folder(&mut self, source: &str, place: &Path, priority: i64) -> Result<(), String> {
        let entries: Vec<_> = match (self.physical)(source).read_dir() {
            Ok(entries) => entries.collect::<Result<_, _>>().map_err(|error| error.to_string())?,
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
                (self.say)(&format!("`{source}` is left out: it is no folder\n"));
                return Ok(());
            }
            Err(error) => return Err(format!("cannot read `{source}`: {error}")),
        };
        let mut names: Vec<_> = entries.iter().map(std::fs::DirEntry::file_name).collect();
        names.sort();
        for name in names {
            let Some(name) = name.to_str() else { continue };
            if !name.starts_with('.') {
                self.entry(&format!("{source}/{name}"), &place.join(name), priority)?;
            }
        }
        Ok(())
    }

    /// The place of a link's target, through all links; links into the store lead to its physical place.
    fn followed(&self, source: &str) -> Option<std::fs::Metadata> {
        let mut path = source.to_owned();
        for _ in 0..40 {
            let physical = (self.physical)(&path);
            let metadata = physical.symlink_metadata().ok()?;
            if !metadata.is_symlink() {
                return Some(metadata);
            }
            let target = physical.read_link().ok()?;
            let folder = Path::new(&path).parent()?.to_path_buf();
            path = normal(&folder.join(target)).to_str()?.to_owned();
        }
        None
    }

    fn entry(&mut self, source: &str, place: &Path, priority: i64) -> Result<(), String> {
        let Some(metadata) = self.followed(source) else {
            (self.say)(&format!("`{source}` is left out: the link leads nowhere\n"));
            return Ok(());
        };
        if LEFT_OUT.iter().any(|name| source.ends_with(name)) {
            return Ok(());
        }
        let target = self.out.join(place);
        let there = target.symlink_metadata().ok();
        let text = |error: std::io::Error| error.to_string();
        match (metadata.is_dir(), there.as_ref().map(|there| there.is_dir())) {
            (_, None) => {}
            (true, Some(true)) => return self.folder(source, place, priority),
            (true, Some(false)) => {
                let (old, old_priority) = self.placed.get(place).cloned().unwrap_or_default();
                if !self.followed(&old).is_some_and(|old| old.is_dir()) {
                    return Err(format!("`{source}` is a folder, and `{old}` of the same place is none"));
                }
                fs::remove_file(&target).map_err(text)?;
                fs::create_dir(&target).map_err(text)?;
                self.folder(&old, place, old_priority)?;
                return self.folder(source, place, priority);
            }
            (false, Some(true)) => {
                return Err(format!("`{source}` is no folder, and what is at the same place already is one"));
            }
            (false, Some(false)) => {
                let (old, old_priority) = self.placed.get(place).cloned().unwrap_or_default();
                if old_priority == priority {
                    return Err(format!(
                        "two packages of the same priority {priority} bring the same file: `{old}` and `{source}`"
                    ));
                }
                if old_priority < priority {
                    return Ok(());
                }
                fs::remove_file(&target).map_err(text)?;
            }
        }
        fs::symlink(Path::new(source), &target).map_err(text)?;
        self.placed.insert(place.to_owned(), (source.to_owned(), priority));
        Ok(())
    }
}

/// A path without `.` and `..`, by its text.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                normal.pop();
            }
            std::path::Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked(packages: &[(&str, i64)], folder: &Path) -> Result<(), String> {
        let out = folder.join("out");
        let _ = std::fs::remove_dir_all(&out);
        std::fs::create_dir(&out).expect("a folder");
        let all = packages.iter().map(|(name, priority)| Package {
            path: folder.join(name).to_string_lossy().into_owned(),
            active: true,
            priority: *priority,
        });
        link_packages(&out, all.collect(), &|path| PathBuf::from(path), &mut |_| {})
    }

    #[test]
    fn packages_are_linked_and_clashes_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |path: &str| folder.path().join(path);
        for path in ["a/bin/x", "a/bin/y", "b/bin/x", "c/lib/z", "d/bin"] {
            std::fs::create_dir_all(at(path).parent().expect("a parent")).expect("made");
            std::fs::write(at(path), path).expect("written");
        }
        linked(&[("a", 5), ("c", 5)], folder.path()).expect("they do not clash");
        assert!(at("out/bin").symlink_metadata().expect("there").is_symlink());
        assert!(linked(&[("a", 5), ("b", 5)], folder.path()).unwrap_err().contains("same priority 5"));
        linked(&[("a", 5), ("b", 3)], folder.path()).expect("one of them wins");
        assert_eq!(std::fs::read_to_string(at("out/bin/x")).expect("readable"), "b/bin/x");
        assert_eq!(std::fs::read_to_string(at("out/bin/y")).expect("readable"), "a/bin/y");
        assert!(linked(&[("a", 5), ("d", 4)], folder.path()).unwrap_err().contains("is a folder"));
    }
}
