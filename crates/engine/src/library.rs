//! The library's files, which are part of the program.

use nival_eval::FileType;

/// Where the library's files appear to the language.
pub const LIBRARY_ROOT: &str = "/nival/library";

static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// All files with their paths below the library's root.
pub fn library_files() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES.iter().copied()
}

/// The contents of a file by its path below the library's root.
pub fn library_file(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, contents)| *contents)
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
    for (name, _) in FILES {
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
