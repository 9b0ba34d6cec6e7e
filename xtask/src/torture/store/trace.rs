//! What a command did to a folder, read from a trace of its system calls.
//!
//! The database's own writes pass no function of ours, so the calls are recorded where all of them arrive: at the kernel,
//! by `strace`. Paths and data are written as hexadecimal bytes there, and descriptors with the paths of their files.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

/// One call that changed something, with paths below the recorded folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    MakeFolder(PathBuf),
    /// A file was opened for writing: whether it was made, emptied, and is only added to.
    Open {
        path: PathBuf,
        create: bool,
        empty: bool,
        append: bool,
        program: bool,
    },
    /// Bytes were written, at a place of the file or behind what was written before.
    Write {
        path: PathBuf,
        at: Option<u64>,
        data: Vec<u8>,
    },
    /// Bytes were copied from another file, which may lie elsewhere.
    Copy {
        from: PathBuf,
        path: PathBuf,
        count: usize,
    },
    Seek {
        path: PathBuf,
        at: u64,
    },
    SetLength {
        path: PathBuf,
        length: u64,
    },
    SetMode {
        path: PathBuf,
        program: bool,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    HardLink {
        from: PathBuf,
        to: PathBuf,
    },
    Link {
        target: PathBuf,
        path: PathBuf,
    },
    Remove(PathBuf),
    Sync(PathBuf),
    SyncAll,
}

/// Reads the operations of a trace on what lies below `root`, and on what a builder sees as the store.
pub fn read(text: &str, root: &Path) -> Vec<Operation> {
    let mut reader =
        Reader { root: root.to_owned(), open: HashMap::new(), folders: HashMap::new(), cell: None };
    text.lines().filter_map(|line| reader.line(line)).collect()
}

struct Reader {
    root: PathBuf,
    /// The beginnings of calls that others came between, by process.
    open: HashMap<String, String>,
    /// The working folders of processes.
    folders: HashMap<String, PathBuf>,
    /// Where the builder that was started last makes its outputs.
    cell: Option<PathBuf>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Option<Operation> {
        let (process, rest) = line.split_once(' ')?;
        let rest = rest.trim_start();
        if let Some(begin) = rest.strip_suffix(" <unfinished ...>") {
            self.open.insert(process.to_owned(), begin.to_owned());
            return None;
        }
        let whole = match rest.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>")) {
            Some((_, end)) => self.open.remove(process)? + end,
            None => rest.to_owned(),
        };
        let (call, result) = whole.rsplit_once(" = ")?;
        let result = result.trim();
        if result.starts_with('-') || result.starts_with('?') {
            return None;
        }
        let (name, arguments) = call.trim_end().strip_suffix(')')?.split_once('(')?;
        self.call(process, name, &split(arguments), result)
    }

    fn call(&mut self, process: &str, name: &str, words: &[&str], result: &str) -> Option<Operation> {
        let word = |at: usize| words.get(at).copied().unwrap_or("");
        let path = |at: usize| self.path(process, None, word(at));
        let beside = |at: usize| self.path(process, Some(word(at)), word(at + 1));
        let own = |at: usize| described(word(at)).and_then(|path| self.inside(&path));
        let mode = |at: usize| {
            u32::from_str_radix(word(at).trim_start_matches('0'), 8).is_ok_and(|m| m & 0o100 != 0)
        };
        Some(match name {
            "chdir" => {
                let folder = text(word(0)).map(PathBuf::from)?;
                self.folders.insert(process.to_owned(), folder);
                return None;
            }
            "mkdir" => self.folder(path(0)?),
            "mkdirat" => self.folder(beside(0)?),
            "open" | "creat" | "openat" => {
                let flags = if name == "openat" { word(2) } else { word(1) };
                let writes = flags.contains("O_WRONLY") || flags.contains("O_RDWR") || name == "creat";
                let create = flags.contains("O_CREAT") || name == "creat";
                if !writes || flags.contains("O_DIRECTORY") || flags.contains("O_TMPFILE") {
                    return None;
                }
                let path = described(result).and_then(|path| self.inside(&path))?;
                Operation::Open {
                    path,
                    create,
                    empty: flags.contains("O_TRUNC") || name == "creat",
                    append: flags.contains("O_APPEND"),
                    program: words.last().is_some_and(|_| mode(words.len() - 1)),
                }
            }
            "write" => Operation::Write { path: own(0)?, at: None, data: cut(word(1), result)? },
            "pwrite64" => {
                Operation::Write { path: own(0)?, at: word(3).parse().ok(), data: cut(word(1), result)? }
            }
            "copy_file_range" | "sendfile" => {
                let (from, to) = if name == "sendfile" { (1, 0) } else { (0, 2) };
                let source = described(word(from))?;
                let from = self.inside(&source).unwrap_or(source);
                Operation::Copy { from, path: own(to)?, count: result.parse().ok()? }
            }
            "lseek" => Operation::Seek { path: own(0)?, at: result.parse().ok()? },
            "ftruncate" => Operation::SetLength { path: own(0)?, length: word(1).parse().ok()? },
            "truncate" => Operation::SetLength { path: path(0)?, length: word(1).parse().ok()? },
            "chmod" => Operation::SetMode { path: path(0)?, program: mode(1) },
            "fchmod" => Operation::SetMode { path: own(0)?, program: mode(1) },
            "fchmodat" | "fchmodat2" => Operation::SetMode { path: beside(0)?, program: mode(2) },
            "rename" => Operation::Rename { from: path(0)?, to: path(1)? },
            "renameat" | "renameat2" => Operation::Rename { from: beside(0)?, to: beside(2)? },
            "link" => Operation::HardLink { from: path(0)?, to: path(1)? },
            "linkat" => Operation::HardLink { from: beside(0)?, to: beside(2)? },
            "symlink" => Operation::Link { target: text(word(0))?.into(), path: path(1)? },
            "symlinkat" => Operation::Link { target: text(word(0))?.into(), path: beside(1)? },
            "unlink" | "rmdir" => Operation::Remove(path(0)?),
            "unlinkat" => Operation::Remove(beside(0)?),
            "fsync" | "fdatasync" => Operation::Sync(own(0)?),
            "sync" | "syncfs" => Operation::SyncAll,
            _ => return None,
        })
    }

    fn folder(&mut self, path: PathBuf) -> Operation {
        if path.extension().is_some_and(|extension| extension == "chroot") {
            self.cell = Some(path.clone());
        }
        Operation::MakeFolder(path)
    }

    /// A path that a call names, below the recorded folder.
    fn path(&self, process: &str, folder: Option<&str>, word: &str) -> Option<PathBuf> {
        let named = PathBuf::from(text(word)?);
        if named.is_absolute() {
            return self.inside(&named);
        }
        let base = match folder {
            Some(folder) if folder.contains('<') => described(folder)?,
            _ => self.folders.get(process)?.clone(),
        };
        self.inside(&base.join(named))
    }

    fn inside(&self, path: &Path) -> Option<PathBuf> {
        let mut plain = PathBuf::new();
        for part in path.components() {
            match part {
                Component::ParentDir => drop(plain.pop()),
                Component::CurDir => {}
                other => plain.push(other),
            }
        }
        if let Ok(rest) = plain.strip_prefix(&self.root) {
            // The root of a builder is a file system in memory.
            let parts: Vec<_> = rest.iter().skip_while(|part| *part != "builds").collect();
            return parts
                .get(2)
                .is_none_or(|part| *part != "root" || parts.len() == 3)
                .then(|| rest.to_owned());
        }
        // What a builder sees as the store is a folder of its own.
        plain.strip_prefix("/nix/store").ok().and_then(|rest| Some(self.cell.as_ref()?.join(rest)))
    }
}

/// Splits the arguments of a call; texts hold no commas, since all their bytes are hexadecimal.
fn split(arguments: &str) -> Vec<&str> {
    arguments.split(", ").collect()
}

/// The bytes of a text in quotes.
fn bytes(word: &str) -> Option<Vec<u8>> {
    let word = word.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(word.len() / 4);
    for pair in word.split("\\x").skip(1) {
        bytes.push(u8::from_str_radix(pair.get(..2)?, 16).ok()?);
    }
    Some(bytes)
}

fn text(word: &str) -> Option<String> {
    String::from_utf8(bytes(word)?).ok()
}

/// The bytes of a text as far as they were taken.
fn cut(word: &str, result: &str) -> Option<Vec<u8>> {
    let mut data = bytes(word)?;
    data.truncate(result.parse().ok()?);
    Some(data)
}

/// The path behind a descriptor's number.
fn described(word: &str) -> Option<PathBuf> {
    let (_, rest) = word.split_once('<')?;
    let rest = rest.split_once('>').map_or(rest, |(path, _)| path);
    text(&format!("\"{rest}\"")).map(|path| PathBuf::from(path.trim_end_matches(" (deleted)")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> String {
        text.bytes().map(|byte| format!("\\x{byte:02x}")).collect()
    }

    #[test]
    fn calls_are_read_with_their_paths_and_data() {
        let (file, store) = (hex("/r/a"), hex("/nix/store/o"));
        let text = format!(
            "1 mkdir(\"{}\", 0777) = 0\n1 openat(AT_FDCWD, \"{file}\", O_WRONLY|O_CREAT|O_TRUNC, 0755) = 3<{file}>\n\
             2 write(3<{file}>, \"{}\" <unfinished ...>\n1 fsync(3<{file}>) = 0\n2 <... write resumed>, 2) = 2\n\
             1 write(3<{}>, \"x\", 1) = 1\n2 symlinkat(\"{}\", 5<{}>, \"{}\") = 0\n1 rename(\"{file}\", \"{}\") = -1 EACCES\n\
             1 mkdir(\"{store}\", 0777) = 0\n",
            hex("/r/x.chroot"),
            hex("hi"),
            hex("/other"),
            hex("a"),
            hex("/r/sub"),
            hex("b"),
            hex("/r/c"),
        );
        let path = PathBuf::from;
        let wanted = [
            Operation::MakeFolder(path("x.chroot")),
            Operation::Open { path: path("a"), create: true, empty: true, append: false, program: true },
            Operation::Sync(path("a")),
            Operation::Write { path: path("a"), at: None, data: b"hi".to_vec() },
            Operation::Link { target: path("a"), path: path("sub/b") },
            Operation::MakeFolder(path("x.chroot/o")),
        ];
        assert_eq!(read(&text, Path::new("/r")), wanted);
    }
}
