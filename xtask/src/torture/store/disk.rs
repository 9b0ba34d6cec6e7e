//! A disk in memory: what files would hold after a crash at any moment.
//!
//! Names are kept in the order in which they were made, as a journal of a file system keeps them; what was written into
//! files is there for sure only after it was brought to the disk, and may else be lost as a whole or in parts.

use super::trace::Operation;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// What of the writes that were not brought to the disk is there after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All of them: the process was killed.
    None,
    /// None of them.
    All,
    /// Some, by chance.
    Some(u64),
}

#[derive(Clone, Debug)]
enum Entry {
    Folder,
    File(usize),
    Link(PathBuf),
}

/// A change of a file's contents.
#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    SetLength(usize),
}

#[derive(Clone, Debug, Default)]
struct File {
    durable: Vec<u8>,
    /// What is not on the disk for sure, in order.
    pending: Vec<Change>,
    program: bool,
    /// Where the next write without a place goes.
    cursor: usize,
    append: bool,
}

/// The disk.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    entries: BTreeMap<PathBuf, Entry>,
    files: Vec<File>,
    /// Files without a name any more, by their last one: who has them open may still write to them.
    nameless: HashMap<PathBuf, usize>,
}

impl Change {
    fn apply(&self, data: &mut Vec<u8>) {
        match self {
            Self::Write(at, bytes) => {
                let end = at + bytes.len();
                if data.len() < end {
                    data.resize(end, 0);
                }
                data[*at..end].copy_from_slice(bytes);
            }
            Self::SetLength(length) => data.resize(*length, 0),
        }
    }
}

impl File {
    fn live(&self) -> Vec<u8> {
        let mut data = self.durable.clone();
        self.pending.iter().for_each(|change| change.apply(&mut data));
        data
    }

    fn sync(&mut self) {
        self.durable = self.live();
        self.pending.clear();
    }
}

impl Disk {
    fn file(&mut self, path: &Path) -> Option<&mut File> {
        let at = match self.entries.get(path) {
            Some(Entry::File(at)) => *at,
            _ => *self.nameless.get(path)?,
        };
        self.files.get_mut(at)
    }

    /// Carries an operation out; false where it changes nothing.
    pub fn apply(&mut self, operation: &Operation) -> bool {
        match operation {
            Operation::MakeFolder(path) => drop(self.entries.insert(path.clone(), Entry::Folder)),
            Operation::Open { path, create, empty, append, program } => {
                return self.open(path, (*create, *empty, *append, *program));
            }
            Operation::Write { path, at, data } => self.write(path, at.map(|at| at as usize), data),
            Operation::Copy { from, path, count } => {
                let data = self.source(from, *count);
                self.write(path, None, &data);
            }
            Operation::Seek { path, at } => {
                if let Some(file) = self.file(path) {
                    file.cursor = *at as usize;
                }
                return false;
            }
            Operation::SetLength { path, length } => {
                if let Some(file) = self.file(path) {
                    file.pending.push(Change::SetLength(*length as usize));
                }
            }
            Operation::SetMode { path, program } => {
                if let Some(file) = self.file(path) {
                    file.program = *program;
                }
            }
            Operation::Rename { from, to } => self.rename(from, to),
            Operation::HardLink { from, to } => {
                if let Some(entry) = self.entries.get(from).cloned() {
                    self.entries.insert(to.clone(), entry);
                }
            }
            Operation::Link { target, path } => {
                self.entries.insert(path.clone(), Entry::Link(target.clone()));
            }
            Operation::Remove(path) => self.forget(path),
            Operation::Sync(path) => {
                if let Some(file) = self.file(path) {
                    file.sync();
                }
            }
            Operation::SyncAll => self.files.iter_mut().for_each(File::sync),
        }
        true
    }

    fn open(&mut self, path: &Path, (create, empty, append, program): (bool, bool, bool, bool)) -> bool {
        let is_new = create && !self.entries.contains_key(path);
        if is_new {
            self.entries.insert(path.to_owned(), Entry::File(self.files.len()));
            self.files.push(File { program, ..File::default() });
        }
        let Some(file) = self.file(path) else { return false };
        (file.cursor, file.append) = (0, append);
        if empty {
            file.pending.push(Change::SetLength(0));
        }
        is_new || empty
    }

    fn write(&mut self, path: &Path, at: Option<usize>, data: &[u8]) {
        let Some(file) = self.file(path) else { return };
        let place = match at {
            Some(at) => at,
            None if file.append => file.live().len(),
            None => file.cursor,
        };
        if at.is_none() {
            file.cursor = place + data.len();
        }
        file.pending.push(Change::Write(place, data.to_vec()));
    }

    /// Bytes of a file of the disk, or of one elsewhere, from where it was read last.
    fn source(&mut self, from: &Path, count: usize) -> Vec<u8> {
        let Some(file) = self.file(from) else {
            let mut data = std::fs::read(from).unwrap_or_default();
            data.truncate(count);
            return data;
        };
        let (data, start) = (file.live(), file.cursor);
        file.cursor += count;
        data.into_iter().skip(start).take(count).collect()
    }

    fn forget(&mut self, path: &Path) {
        if let Some(Entry::File(at)) = self.entries.remove(path) {
            self.nameless.insert(path.to_owned(), at);
        }
    }

    fn rename(&mut self, from: &Path, to: &Path) {
        self.forget(to);
        let moved: Vec<PathBuf> =
            self.entries.keys().filter(|path| path.starts_with(from)).cloned().collect();
        for old in moved {
            let rest = old.strip_prefix(from).unwrap_or(Path::new(""));
            let new = if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) };
            if let Some(entry) = self.entries.remove(&old) {
                self.entries.insert(new, entry);
            }
        }
    }

    /// Writes what would be there after a crash to an empty folder.
    pub fn restore(&self, folder: &Path, loss: Loss) -> io::Result<()> {
        let mut places: HashMap<usize, PathBuf> = HashMap::new();
        for (path, entry) in &self.entries {
            let place = folder.join(path);
            if let Some(parent) = place.parent() {
                std::fs::create_dir_all(parent)?;
            }
            match entry {
                Entry::Folder => std::fs::create_dir_all(&place)?,
                Entry::Link(target) => symlink(target, &place)?,
                Entry::File(at) => match places.get(at) {
                    Some(first) => std::fs::hard_link(first, &place)?,
                    None => {
                        std::fs::write(&place, self.contents(*at, loss))?;
                        let mode = if self.files[*at].program { 0o755 } else { 0o644 };
                        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(mode))?;
                        places.insert(*at, place);
                    }
                },
            }
        }
        Ok(())
    }

    fn contents(&self, at: usize, loss: Loss) -> Vec<u8> {
        let file = &self.files[at];
        match loss {
            Loss::None => file.live(),
            Loss::All => file.durable.clone(),
            Loss::Some(seed) => {
                let mut state = seed ^ (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut data = file.durable.clone();
                for change in &file.pending {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    if state >> 40 & 1 == 0 {
                        change.apply(&mut data);
                    }
                }
                data
            }
        }
    }

    /// The links below a folder, with their targets.
    pub fn links(&self, folder: &Path) -> Vec<(PathBuf, PathBuf)> {
        let below = self.entries.iter().filter(|(path, _)| path.starts_with(folder));
        let links = below.filter_map(|(path, entry)| match entry {
            Entry::Link(target) => Some((path.clone(), target.clone())),
            _ => None,
        });
        links.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_brought_to_the_disk_is_lost() {
        let path = PathBuf::from("a");
        let mut disk = Disk::default();
        let open = |empty| Operation::Open {
            path: path.clone(),
            create: true,
            empty,
            append: false,
            program: false,
        };
        let write = |text: &str| Operation::Write { path: path.clone(), at: None, data: text.into() };
        for operation in
            [open(true), write("one"), write("two"), Operation::Sync(path.clone()), write("three")]
        {
            disk.apply(&operation);
        }
        disk.apply(&Operation::Rename { from: path.clone(), to: "b".into() });
        let read = |loss| {
            let folder = std::env::temp_dir().join(format!("nival-disk-{}-{loss:?}", std::process::id()));
            std::fs::create_dir(&folder).expect("a folder");
            disk.restore(&folder, loss).expect("written");
            let text = std::fs::read_to_string(folder.join("b"));
            std::fs::remove_dir_all(&folder).expect("removed");
            text.expect("it is there")
        };
        assert_eq!((read(Loss::None), read(Loss::All)), ("onetwothree".to_owned(), "onetwo".to_owned()));
    }
}
