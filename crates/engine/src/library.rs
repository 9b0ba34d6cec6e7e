//! The library's files, which are part of the program.

use nival_eval::FileType;
use std::path::Path;
use std::sync::OnceLock;

/// Where the library's files appear to the language.
pub use nival_modules::LIBRARY_ROOT;

static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// Files that stand in for the program's own, for people who work on the library.
static OTHER: OnceLock<Vec<(&'static str, &'static [u8])>> = OnceLock::new();

/// Takes the library from a folder instead of the program, for the rest of the process.
///
/// # Errors
/// What reading the folder gives.
pub fn use_library(folder: &Path) -> std::io::Result<()> {
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
            let (name, contents): (&'static str, &'static [u8]) = (name.leak(), std::fs::read(&path)?.leak());
            files.push((name, contents));
        }
    }
    files.sort_unstable();
    let _ = OTHER.set(files);
    Ok(())
}

fn files() -> &'static [(&'static str, &'static [u8])] {
    OTHER.get().map_or(FILES, Vec::as_slice)
}

/// All files with their paths below the library's root.
pub fn library_files() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    files().iter().copied()
}

/// The contents of a file by its path below the library's root.
pub fn library_file(name: &str) -> Option<&'static [u8]> {
    files().iter().find(|(known, _)| *known == name).map(|(_, contents)| *contents)
}

/// The path below the library's root; `None` where a path lies elsewhere.
pub(crate) fn inside(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(LIBRARY_ROOT)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
}

pub(crate) fn file_type(name: &str) -> Option<FileType> {
    if library_file(name).is_some() {
        return Some(FileType::Regular);
    }
    (!entries(name).is_empty()).then_some(FileType::Directory)
}

pub(crate) fn entries(folder: &str) -> Vec<(String, FileType)> {
    let mut found: Vec<(String, FileType)> = Vec::new();
    for (name, _) in files() {
        let rest = if folder.is_empty() {
            Some(*name)
        } else {
            name.strip_prefix(folder).and_then(|r| r.strip_prefix('/'))
        };
        let Some(rest) = rest else { continue };
        let entry = match rest.split_once('/') {
            Some((first, _)) => (first.to_owned(), FileType::Directory),
            None => (rest.to_owned(), FileType::Regular),
        };
        if !found.contains(&entry) {
            found.push(entry);
        }
    }
    found
}
