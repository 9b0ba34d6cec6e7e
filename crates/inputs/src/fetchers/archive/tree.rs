//! The folder that an archive is unpacked into.

use crate::fetchers::error::{At as _, Error};
use nival_sys::fs;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{Read, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Folder,
    File,
    Link,
}

/// The folder that an archive is unpacked into.
pub(super) struct Target<'a> {
    root: &'a Path,
    name: &'a str,
    made: HashMap<Vec<u8>, Kind>,
    /// The newest time of modification of an entry.
    pub(super) newest: u64,
}

impl<'a> Target<'a> {
    pub(super) fn new(root: &'a Path, name: &'a str) -> Result<Self, Error> {
        fs::create_dir(root).at(root)?;
        Ok(Self { root, name, made: HashMap::new(), newest: 0 })
    }

    pub(super) fn wrong(&self, why: impl Into<String>) -> Error {
        Error::Archive { name: self.name.to_owned(), why: why.into() }
    }

    fn path(&self, inner: &[u8]) -> PathBuf {
        if inner.is_empty() { self.root.to_owned() } else { self.root.join(OsStr::from_bytes(inner)) }
    }

    /// A name of the archive below the folder: `.`, `..` and empty parts are resolved, never above the folder.
    fn inner(&self, name: &[u8]) -> Result<Vec<u8>, Error> {
        let mut parts: Vec<&[u8]> = Vec::new();
        for part in name.split(|c| *c == b'/') {
            match part {
                b"" | b"." => {}
                b".." => drop(parts.pop()),
                part if part.contains(&0) => return Err(self.wrong("a name holds a zero byte")),
                part => parts.push(part),
            }
        }
        Ok(parts.join(&b'/'))
    }

    /// Makes the folders above a name; what is no folder there is an error.
    fn prepare(&mut self, inner: &[u8]) -> Result<(), Error> {
        let ends = inner.iter().enumerate().filter(|(_, c)| **c == b'/').map(|(at, _)| at);
        for end in ends.collect::<Vec<_>>() {
            self.folder_at(&inner[..end])?;
        }
        Ok(())
    }

    fn folder_at(&mut self, inner: &[u8]) -> Result<(), Error> {
        match self.made.get(inner) {
            Some(Kind::Folder) => Ok(()),
            Some(_) => {
                let shown = String::from_utf8_lossy(inner).into_owned();
                Err(self.wrong(format!("`{shown}` is a folder and something else")))
            }
            None if inner.is_empty() => Ok(()),
            None => {
                let path = self.path(inner);
                fs::create_dir(&path).at(&path)?;
                self.made.insert(inner.to_vec(), Kind::Folder);
                Ok(())
            }
        }
    }

    /// Makes a place free for a file or link; a later entry of a name wins.
    fn place(&mut self, name: &[u8], kind: Kind) -> Result<PathBuf, Error> {
        let inner = self.inner(name)?;
        if inner.is_empty() {
            return Err(self.wrong("an entry without a name is no folder"));
        }
        self.prepare(&inner)?;
        let path = self.path(&inner);
        match self.made.insert(inner, kind) {
            None => {}
            Some(Kind::Folder) => {
                return Err(self.wrong(format!("`{}` is a folder and something else", path.display())));
            }
            Some(_) => fs::remove_file(&path).at(&path)?,
        }
        Ok(path)
    }

    pub(super) fn folder(&mut self, name: &[u8]) -> Result<(), Error> {
        let inner = self.inner(name)?;
        self.prepare(&inner)?;
        self.folder_at(&inner)
    }

    pub(super) fn link(&mut self, name: &[u8], target: &[u8]) -> Result<(), Error> {
        let path = self.place(name, Kind::Link)?;
        fs::symlink(Path::new(OsStr::from_bytes(target)), &path).at(&path)
    }

    pub(super) fn file(
        &mut self,
        name: &[u8],
        executable: bool,
        contents: &mut dyn Read,
    ) -> Result<(), Error> {
        let path = self.place(name, Kind::File)?;
        let mut file = fs::create_new(&path, if executable { 0o755 } else { 0o644 }).at(&path)?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = contents.read(&mut buffer).map_err(|error| self.wrong(error.to_string()))?;
            if count == 0 {
                return Ok(());
            }
            file.write_all(&buffer[..count]).at(&path)?;
        }
    }

    /// A second name of a file or link that was unpacked before.
    pub(super) fn hard_link(&mut self, name: &[u8], to: &[u8]) -> Result<(), Error> {
        let inner = self.inner(to)?;
        let shown = || String::from_utf8_lossy(&inner).into_owned();
        let source = self.path(&inner);
        match self.made.get(&inner) {
            Some(Kind::File) => {
                let metadata = source.symlink_metadata().at(&source)?;
                let executable =
                    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0;
                let mut contents = std::fs::File::open(&source).at(&source)?;
                if self.inner(name)? == inner {
                    return Ok(());
                }
                self.file(name, executable, &mut contents)
            }
            Some(Kind::Link) => {
                let target = source.read_link().at(&source)?;
                self.link(name, target.as_os_str().as_bytes())
            }
            _ => Err(self.wrong(format!("a link to `{}`, which is no file of it", shown()))),
        }
    }
}
