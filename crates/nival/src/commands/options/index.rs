//! Options on the disk, so that a second question is answered at once: one line each, behind a line that names the files
//! they were read from.

use crate::context::cache_folder;
use nival_diagnostics::Sources;
use nival_engine::{LIBRARY_ROOT, OptionDescription, library_files};
use nival_store_model::Hash;
use nival_sys::fs;
use serde::{Deserialize, Serialize};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// Options, each as its line of JSON: most are never looked into.
pub struct Index {
    lines: String,
}

#[derive(Serialize, Deserialize)]
struct Header {
    /// The program's own library, which belongs to the files.
    library: String,
    /// Files with their length and the time of their last change in nanoseconds.
    files: Vec<(String, u64, i128)>,
}

impl Index {
    /// The index that is kept under a key, if none of its files has changed since.
    pub fn read(key: &str) -> Option<Self> {
        let text = std::fs::read_to_string(place(key)?).ok()?;
        let (header, lines) = text.split_once('\n')?;
        let header: Header = serde_json::from_str(header).ok()?;
        let same = |(file, length, time): &(String, u64, i128)| state(file) == Some((*length, *time));
        (header.library == library() && header.files.iter().all(same))
            .then(|| Self { lines: lines.to_owned() })
    }

    /// Makes an index and keeps it where that is possible.
    pub fn write(key: &str, options: Vec<OptionDescription>, sources: &Sources) -> Self {
        let mut lines = String::new();
        for option in options {
            lines.push_str(&serde_json::to_string(&option).unwrap_or_default());
            lines.push('\n');
        }
        let names = sources
            .ids()
            .map(|id| sources.name(id))
            .filter(|name| name.starts_with('/') && !name.starts_with(LIBRARY_ROOT));
        let files = names.filter_map(|name| {
            let (length, time) = state(name)?;
            Some((name.to_owned(), length, time))
        });
        let header = Header { library: library(), files: files.collect() };
        let text = format!("{}\n{lines}", serde_json::to_string(&header).unwrap_or_default());
        // Without a place for it the next question takes as long as this one.
        if let Some(place) = place(key) {
            let _ = place.parent().map(fs::create_dir_all);
            let _ = fs::write_kept(&place, text.as_bytes());
        }
        Self { lines }
    }

    /// The lines.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.lines()
    }
}

/// What tells this program's library from another's.
fn library() -> String {
    let mut all = Vec::new();
    for (name, contents) in library_files() {
        all.extend_from_slice(name.as_bytes());
        all.extend_from_slice(contents);
    }
    Hash::sha256(&all).base32()
}

fn place(key: &str) -> Option<PathBuf> {
    let name: String = Hash::sha256(key.as_bytes()).base32().chars().take(32).collect();
    Some(cache_folder()?.parent()?.join("nival").join("options").join(name))
}

fn state(file: &str) -> Option<(u64, i128)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.len(), i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec())))
}
