//! Writing the tree of a commit, byte for byte as git keeps it, and finding what `export-ignore` leaves out.

use super::program::Git;
use crate::fetchers::error::{At as _, Error};
use nival_sys::fs;
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::io::{BufReader, Read, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Stdio;

/// One entry of a tree.
struct Entry {
    mode: u32,
    object: String,
    path: Vec<u8>,
}

const FOLDER: u32 = 0o040_000;
const LINK: u32 = 0o120_000;
const SUBMODULE: u32 = 0o160_000;
const EXECUTABLE: u32 = 0o100_755;

/// Writes the tree of a revision into a new folder; submodules become empty folders, and are returned with their
/// revisions.
pub(super) fn export(
    git: &Git,
    revision: &str,
    export_ignore: bool,
    to: &Path,
) -> Result<BTreeMap<String, String>, Error> {
    let listed = git.bytes(&["ls-tree", "-r", "-t", "-z", "--full-tree", revision], "list a tree")?;
    let mut entries = parse(&listed).ok_or_else(|| Error::Program {
        doing: format!("read the tree of {revision}"),
        said: "its list has a form that is not known".to_owned(),
    })?;
    if export_ignore && entries.iter().any(|entry| entry.path.ends_with(b".gitattributes")) {
        let paths: Vec<&[u8]> = entries.iter().map(|entry| entry.path.as_slice()).collect();
        let ignored = ignored(git, &["--source", revision], &paths)?;
        entries.retain(|entry| !is_below(&entry.path, &ignored));
    }
    fs::create_dir(to).at(to)?;
    let mut submodules = BTreeMap::new();
    for entry in &entries {
        let path = to.join(OsStr::from_bytes(&entry.path));
        if entry.mode == FOLDER || entry.mode == SUBMODULE {
            fs::create_dir(&path).at(&path)?;
        }
        if entry.mode == SUBMODULE {
            submodules.insert(String::from_utf8_lossy(&entry.path).into_owned(), entry.object.clone());
        }
    }
    entries.retain(|entry| entry.mode != FOLDER && entry.mode != SUBMODULE);
    write_files(git, &entries, to)?;
    Ok(submodules)
}

fn parse(listed: &[u8]) -> Option<Vec<Entry>> {
    let lines = listed.split(|c| *c == 0).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let tab = line.iter().position(|c| *c == b'\t')?;
            let head = std::str::from_utf8(&line[..tab]).ok()?;
            let mut words = head.split(' ');
            let mode = u32::from_str_radix(words.next()?, 8).ok()?;
            let object = words.nth(1)?.to_owned();
            let path = line[tab + 1..].to_vec();
            let unsafe_part = |part: &[u8]| part.is_empty() || part == b"." || part == b"..";
            if path.split(|c| *c == b'/').any(unsafe_part) {
                return None;
            }
            Some(Entry { mode, object, path })
        })
        .collect()
}

/// Reads all files through one `git cat-file`.
fn write_files(git: &Git, entries: &[Entry], to: &Path) -> Result<(), Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let failed = |said: String| Error::Program { doing: "read objects of git".to_owned(), said };
    let mut command = git.command();
    command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = nival_sys::process::spawn(&mut command).map_err(|error| failed(error.to_string()))?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(failed("no pipe".to_owned()));
    };
    let names: String = entries.iter().map(|entry| format!("{}\n", entry.object)).collect();
    let writer = std::thread::spawn(move || stdin.write_all(names.as_bytes()));
    let mut reader = BufReader::with_capacity(1 << 16, stdout);
    let mut result = Ok(());
    for entry in entries {
        result = write_file(&mut reader, entry, to);
        if result.is_err() {
            break;
        }
    }
    drop(reader);
    let _ = writer.join();
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    result?;
    if status.success() { Ok(()) } else { Err(failed("git cat-file failed".to_owned())) }
}

fn write_file(reader: &mut impl std::io::BufRead, entry: &Entry, to: &Path) -> Result<(), Error> {
    let shown = || String::from_utf8_lossy(&entry.path).into_owned();
    let failed = |said: String| Error::Program { doing: format!("read `{}` of git", shown()), said };
    let mut head = String::new();
    reader.read_line(&mut head).map_err(|error| failed(error.to_string()))?;
    let size = head.trim_end().rsplit(' ').next().and_then(|size| size.parse::<u64>().ok());
    let size = size.ok_or_else(|| failed(format!("the object is missing: {}", head.trim_end())))?;
    let path = to.join(OsStr::from_bytes(&entry.path));
    let mut contents = reader.take(size);
    if entry.mode == LINK {
        let mut target = Vec::new();
        contents.read_to_end(&mut target).map_err(|error| failed(error.to_string()))?;
        fs::symlink(Path::new(OsStr::from_bytes(&target)), &path).at(&path)?;
    } else {
        let mode = if entry.mode == EXECUTABLE { 0o755 } else { 0o644 };
        let mut file = fs::create_new(&path, mode).at(&path)?;
        let copied = std::io::copy(&mut contents, &mut file).at(&path)?;
        if copied != size {
            return Err(failed("it ended early".to_owned()));
        }
    }
    let mut end = [0];
    reader.read_exact(&mut end).map_err(|error| failed(error.to_string()))
}

/// Whether a path or a folder above it is one of a set.
pub(super) fn is_below(path: &[u8], set: &HashSet<Vec<u8>>) -> bool {
    let ends = path.iter().enumerate().filter(|(_, c)| **c == b'/').map(|(at, _)| at);
    ends.chain([path.len()]).any(|end| set.contains(&path[..end]))
}

/// Which of the paths, or of the folders above them, have the attribute `export-ignore`.
pub(super) fn ignored(git: &Git, more: &[&str], paths: &[&[u8]]) -> Result<HashSet<Vec<u8>>, Error> {
    let mut asked: HashSet<&[u8]> = HashSet::new();
    let mut input = Vec::new();
    for path in paths {
        let ends = path.iter().enumerate().filter(|(_, c)| **c == b'/').map(|(at, _)| at);
        for end in ends.chain([path.len()]) {
            if asked.insert(&path[..end]) {
                input.extend_from_slice(&path[..end]);
                input.push(0);
            }
        }
    }
    let mut arguments = vec!["check-attr"];
    arguments.extend_from_slice(more);
    arguments.extend_from_slice(&["-z", "--stdin", "export-ignore"]);
    let answer = git.with_input(&arguments, input, "read attributes")?;
    let fields: Vec<&[u8]> = answer.split(|c| *c == 0).collect();
    let set = fields.chunks_exact(3).filter(|fields| fields[2] == b"set");
    Ok(set.map(|fields| fields[0].to_vec()).collect())
}
