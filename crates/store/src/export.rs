//! Several paths in one stream, as `nix-store --export` writes it.
//!
//! Before each path stands a 1, behind the last one a 0; a path is its NAR, a mark, its name, its references and its
//! deriver.

use crate::archive;
use crate::error::{Doing as _, Error};
use crate::{LocalStore, PathInfo};
use nival_store_model::StorePath;
use nival_sys::fs as sys;
use std::io::{self, BufRead, Write};

/// The mark between an archive and what is said of it.
const MARK: u64 = 0x4558_494e;
/// No name of a path is longer than this, with any folder in front of it.
const LONGEST: u64 = 8192;

impl LocalStore {
    /// Writes paths, each behind those that it refers to. One whose contents changed is refused.
    ///
    /// # Errors
    /// [`Error::NotValid`], [`Error::OtherContents`], [`Error::Io`], [`Error::Database`].
    pub fn export(&self, paths: &[StorePath], out: &mut dyn Write) -> Result<(), Error> {
        let doing = || "export paths".to_owned();
        for path in self.sorted_by_references(paths)? {
            let info = self.valid_info(&path)?;
            number(out, 1).doing(doing)?;
            let (hash, _) = archive::hash_with(&self.physical(&path), out)?;
            if hash != info.nar_hash {
                return Err(Error::OtherContents {
                    path: self.dir().print(&path),
                    wanted: info.nar_hash.sri(),
                    got: hash.sri(),
                });
            }
            self.describe(&info, out).doing(doing)?;
        }
        number(out, 0).and_then(|()| out.flush()).doing(doing)
    }

    fn describe(&self, info: &PathInfo, out: &mut dyn Write) -> io::Result<()> {
        number(out, MARK)?;
        text(out, &self.dir().print(&info.path))?;
        number(out, info.references.len() as u64)?;
        for reference in &info.references {
            text(out, &self.dir().print(reference))?;
        }
        text(out, &info.deriver.as_ref().map(|deriver| self.dir().print(deriver)).unwrap_or_default())?;
        number(out, 0)
    }

    /// Reads what [`Self::export`] wrote and adds its paths; those that are valid already are passed over.
    ///
    /// # Errors
    /// [`Error::Archive`] and [`Error::Io`] where the stream is damaged, [`Error::MissingReference`] where it is no closure, and others;
    /// paths before the error stay.
    pub fn import(&self, input: &mut dyn BufRead) -> Result<Vec<StorePath>, Error> {
        let mut imported = Vec::new();
        loop {
            match read_number(input)? {
                0 => return Ok(imported),
                1 => imported.push(self.import_one(input, imported.len())?),
                _ => return Err(wrong("input does not look like something that was exported")),
            }
        }
    }

    fn import_one(&self, input: &mut dyn BufRead, number: usize) -> Result<StorePath, Error> {
        let staged = self.staging(&format!("import-{number}"));
        let doing = || "import paths".to_owned();
        sys::remove_tree(&staged).doing(doing)?;
        let restored = archive::restore_next(&mut *input, &staged)?;
        if read_number(input)? != MARK {
            return Err(wrong("the archive is not followed by its description"));
        }
        let parse = |text: &str| self.dir().parse(text);
        let path = parse(&read_text(input)?)?;
        let mut info = PathInfo::new(path.clone(), restored.hash, restored.size);
        for _ in 0..read_number(input)? {
            info.references.push(parse(&read_text(input)?)?);
        }
        let deriver = read_text(input)?;
        info.deriver = if deriver.is_empty() { None } else { Some(parse(&deriver)?) };
        if read_number(input)? == 1 {
            // A signature of very old programs.
            read_text(input)?;
        }
        self.adopt_as(&staged, &info)?;
        Ok(path)
    }
}

fn wrong(text: &str) -> Error {
    Error::Io { doing: "import paths".to_owned(), error: io::Error::new(io::ErrorKind::InvalidData, text) }
}

fn number(out: &mut dyn Write, number: u64) -> io::Result<()> {
    out.write_all(&number.to_le_bytes())
}

fn text(out: &mut dyn Write, text: &str) -> io::Result<()> {
    number(out, text.len() as u64)?;
    out.write_all(text.as_bytes())?;
    out.write_all(&[0; 8][..(8 - text.len() % 8) % 8])
}

fn read_number(input: &mut dyn BufRead) -> Result<u64, Error> {
    let mut bytes = [0; 8];
    input.read_exact(&mut bytes).doing(|| "read an export".to_owned())?;
    Ok(u64::from_le_bytes(bytes))
}

fn read_text(input: &mut dyn BufRead) -> Result<String, Error> {
    let length = read_number(input)?;
    if length > LONGEST {
        return Err(wrong("a name is too long"));
    }
    let mut bytes = vec![0; length.next_multiple_of(8) as usize];
    input.read_exact(&mut bytes).doing(|| "read an export".to_owned())?;
    bytes.truncate(length as usize);
    String::from_utf8(bytes).map_err(|_| wrong("a name is no text"))
}
