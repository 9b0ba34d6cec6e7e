//! The outer archive of a package: `ar` with `debian-binary`, `control.tar` and `data.tar`.

use crate::Problem;
use std::io::{self, Read, Take};

const MAGIC: &[u8; 8] = b"!<arch>\n";
const HEADER: usize = 60;

/// Hands out the parts of an archive in their order.
pub(super) struct Archive<R> {
    reader: R,
    /// Bytes of the last part that were not read yet, its padding included.
    left: u64,
}

fn damaged(error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Problem::Damaged("it ends early".to_owned()),
        _ => Problem::Damaged(error.to_string()),
    }
}

impl<R: Read> Archive<R> {
    /// Reads the beginning, up to and with `debian-binary`.
    pub(super) fn open(mut reader: R) -> Result<Self, Problem> {
        let mut magic = [0; MAGIC.len()];
        reader.read_exact(&mut magic).map_err(|_| Problem::Format("it is too short".to_owned()))?;
        if magic != *MAGIC {
            return Err(Problem::Format("it is no `ar` archive".to_owned()));
        }
        let mut archive = Self { reader, left: 0 };
        let (name, size) = archive.header()?;
        if name != "debian-binary" || size > 1024 {
            return Err(Problem::Format("it does not begin with `debian-binary`".to_owned()));
        }
        let mut version = Vec::new();
        archive.reader.by_ref().take(size).read_to_end(&mut version).map_err(|error| damaged(&error))?;
        if !version.starts_with(b"2.") {
            return Err(Problem::Format("its format is not version 2".to_owned()));
        }
        archive.left = (size + size % 2) - version.len() as u64;
        Ok(archive)
    }

    /// The next part, which must be this one in some compression: the name's ending, and the bytes.
    ///
    /// Parts whose name begins with `_` are passed over, as the format says.
    pub(super) fn part(&mut self, wanted: &str) -> Result<(String, Take<&mut R>), Problem> {
        loop {
            let (name, size) = self.header()?;
            if name.starts_with('_') {
                self.left = size + size % 2;
                continue;
            }
            let Some(compression) = name.strip_prefix(wanted) else {
                return Err(Problem::Format(format!("it has `{name}` where `{wanted}` should be")));
            };
            // Whoever asks for the next part has read this one to its end: only the padding is left.
            self.left = size % 2;
            return Ok((compression.to_owned(), self.reader.by_ref().take(size)));
        }
    }

    fn header(&mut self) -> Result<(String, u64), Problem> {
        let skipped = io::copy(&mut self.reader.by_ref().take(self.left), &mut io::sink());
        skipped.map_err(|error| damaged(&error))?;
        let mut header = [0; HEADER];
        self.reader.read_exact(&mut header).map_err(|error| damaged(&error))?;
        let text = |range: std::ops::Range<usize>| {
            std::str::from_utf8(&header[range]).unwrap_or("").trim_end().to_owned()
        };
        if header[58..] != *b"`\n" {
            return Err(Problem::Damaged("a header of the archive is malformed".to_owned()));
        }
        let size = text(48..58)
            .parse()
            .map_err(|_| Problem::Damaged("a size in the archive is malformed".to_owned()))?;
        Ok((text(0..16).trim_end_matches('/').to_owned(), size))
    }
}
