//! NAR, Nix's archive format, written and read as a stream.
//!
//! The caller walks its tree and tells an [`Encoder`] what it meets; entries of a
//! folder come in byte order of their names. A [`Decoder`] tells in turn what an
//! archive holds, and refuses all that an encoder would not have written.

mod decode;

pub use decode::{Contents, Decoder, Event, NarError, Problem};

use std::io::{self, Read, Write};

/// The first words of every NAR.
pub const MAGIC: &str = "nix-archive-1";

/// How many folders may lie in each other; Nix's limit.
pub const MAX_DEPTH: usize = 64;

/// Writes one NAR.
pub struct Encoder<W: Write> {
    out: W,
}

impl<W: Write> Encoder<W> {
    /// Starts an archive.
    ///
    /// # Errors
    /// What the writer says.
    pub fn new(mut out: W) -> io::Result<Self> {
        write_text(&mut out, MAGIC.as_bytes())?;
        Ok(Self { out })
    }

    /// Writes a file of `length` bytes.
    ///
    /// # Errors
    /// What reader or writer say; `UnexpectedEof` where the reader ends early.
    pub fn file(&mut self, executable: bool, length: u64, contents: &mut dyn Read) -> io::Result<()> {
        self.words(&["(", "type", "regular"])?;
        if executable {
            self.words(&["executable", ""])?;
        }
        self.words(&["contents"])?;
        self.out.write_all(&length.to_le_bytes())?;
        let copied = io::copy(&mut contents.take(length), &mut self.out)?;
        if copied != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        pad(&mut self.out, length)?;
        self.words(&[")"])
    }

    /// Writes a symbolic link.
    ///
    /// # Errors
    /// What the writer says.
    pub fn symlink(&mut self, target: &[u8]) -> io::Result<()> {
        self.words(&["(", "type", "symlink", "target"])?;
        write_text(&mut self.out, target)?;
        self.words(&[")"])
    }

    /// Begins a folder.
    ///
    /// # Errors
    /// What the writer says.
    pub fn begin_directory(&mut self) -> io::Result<()> {
        self.words(&["(", "type", "directory"])
    }

    /// Begins an entry of the folder that was begun last; its node follows, then [`Self::end_entry`].
    ///
    /// # Errors
    /// What the writer says.
    pub fn begin_entry(&mut self, name: &[u8]) -> io::Result<()> {
        self.words(&["entry", "(", "name"])?;
        write_text(&mut self.out, name)?;
        self.words(&["node"])
    }

    /// Ends an entry.
    ///
    /// # Errors
    /// What the writer says.
    pub fn end_entry(&mut self) -> io::Result<()> {
        self.words(&[")"])
    }

    /// Ends a folder.
    ///
    /// # Errors
    /// What the writer says.
    pub fn end_directory(&mut self) -> io::Result<()> {
        self.words(&[")"])
    }

    /// Gives the writer back.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn words(&mut self, words: &[&str]) -> io::Result<()> {
        words.iter().try_for_each(|word| write_text(&mut self.out, word.as_bytes()))
    }
}

fn write_text(out: &mut impl Write, text: &[u8]) -> io::Result<()> {
    out.write_all(&(text.len() as u64).to_le_bytes())?;
    out.write_all(text)?;
    pad(out, text.len() as u64)
}

fn pad(out: &mut impl Write, length: u64) -> io::Result<()> {
    out.write_all(&[0; 8][..((8 - length % 8) % 8) as usize])
}

/// The NAR of one file, for contents that are in memory.
pub fn of_file(executable: bool, contents: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(contents.len() + 128);
    let written = Encoder::new(&mut bytes)
        .and_then(|mut nar| nar.file(executable, contents.len() as u64, &mut &*contents));
    debug_assert!(written.is_ok(), "writing to memory cannot fail");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Hash;

    #[test]
    fn file_agrees_with_nix_hash() {
        // printf abc > f; nix-hash --type sha256 f
        let hash = Hash::sha256(&of_file(false, b"abc"));
        assert_eq!(hash.base16().len(), 64);
        assert_eq!(of_file(false, b"abc").len() % 8, 0);
    }
}
