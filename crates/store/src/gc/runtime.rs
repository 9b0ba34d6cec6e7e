//! What running processes use: programs, working folders, open files, mapped files, and their environments.

use nival_store_model::{StoreDir, StorePath};
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// The store paths that processes use, each with the file that tells. What may not be read is left out.
pub(super) fn used_paths(dir: &StoreDir, physical: &Path) -> BTreeSet<(StorePath, PathBuf)> {
    let mut search = Search { places: vec![dir.as_str().as_bytes().to_vec()], found: BTreeSet::new() };
    // Processes outside of the namespace in which the store has its logical name see the physical one.
    if physical != Path::new(dir.as_str()) {
        search.places.push(physical.as_os_str().as_bytes().to_vec());
    }
    for entry in Path::new("/proc").read_dir().into_iter().flatten().flatten() {
        if entry.file_name().as_bytes().iter().all(u8::is_ascii_digit) {
            search.process(&entry.path());
        }
    }
    for setting in ["modprobe", "fbsplash", "poweroff_cmd"] {
        search.contents(&Path::new("/proc/sys/kernel").join(setting));
    }
    search.found
}

struct Search {
    /// The folders by which the store is called.
    places: Vec<Vec<u8>>,
    found: BTreeSet<(StorePath, PathBuf)>,
}

impl Search {
    fn process(&mut self, folder: &Path) {
        self.link(&folder.join("exe"));
        self.link(&folder.join("cwd"));
        for entry in folder.join("fd").read_dir().into_iter().flatten().flatten() {
            self.link(&entry.path());
        }
        self.contents(&folder.join("maps"));
        self.contents(&folder.join("environ"));
    }

    fn link(&mut self, link: &Path) {
        if let Ok(target) = link.read_link() {
            self.text(target.as_os_str().as_bytes(), link);
        }
    }

    fn contents(&mut self, file: &Path) {
        if let Ok(text) = std::fs::read(file) {
            self.text(&text, file);
        }
    }

    /// Takes every store path that a text names.
    fn text(&mut self, text: &[u8], source: &Path) {
        for place in &self.places {
            let mut rest = text;
            while let Some(at) = find(rest, place) {
                rest = &rest[at + place.len()..];
                let Some(name) = rest.strip_prefix(b"/") else { continue };
                let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-._?=".contains(byte);
                let length = name.iter().position(|byte| !allowed(byte)).unwrap_or(name.len());
                let name = std::str::from_utf8(&name[..length]).unwrap_or_default();
                if let Ok(path) = StorePath::parse(name) {
                    self.found.insert((path, source.to_owned()));
                }
            }
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_paths() {
        let mut search = Search { places: vec![b"/nix/store".to_vec()], found: BTreeSet::new() };
        let digits = "0".repeat(32);
        let text =
            format!("PATH=/nix/store/{digits}-a/bin:/nix/store/{digits}-b\0X=/nix/store/nothing /nix/store");
        search.text(text.as_bytes(), Path::new("/proc/1/environ"));
        let names: Vec<_> = search.found.iter().map(|(path, _)| path.name().to_owned()).collect();
        assert_eq!(names, ["a", "b"]);
    }
}
