//! The logs of builds, where Nix looks for them: `LOG/drvs/xx/HASH-NAME.drv.bz2`.

use bzip2::Compression;
use bzip2::read::BzDecoder;
use bzip2::write::BzEncoder;
use nival_store_model::StorePath;
use nival_sys::fs;
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Below this many bytes a log stays in memory until its build ends.
const SMALL: usize = 1 << 16;

/// The log of a build that runs.
pub struct Log {
    place: PathBuf,
    compressed: bool,
    held: Vec<u8>,
    file: Option<Target>,
}

enum Target {
    Plain(File),
    Compressed(BzEncoder<File>),
}

/// Where the log of a derivation lies, without the ending of compressed ones.
pub fn place(folder: &Path, drv: &StorePath) -> PathBuf {
    let name = drv.base_name();
    folder.join("drvs").join(&name[..2]).join(&name[2..])
}

/// The log of a derivation, where there is one.
///
/// # Errors
/// Whatever the system says.
pub fn read(folder: &Path, drv: &StorePath) -> io::Result<Option<Vec<u8>>> {
    let plain = place(folder, drv);
    match std::fs::read(&plain) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => return other.map(Some),
    }
    let file = match File::open(with_ending(&plain)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut text = Vec::new();
    BzDecoder::new(file).read_to_end(&mut text)?;
    Ok(Some(text))
}

fn with_ending(path: &Path) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(".bz2");
    PathBuf::from(text)
}

impl Log {
    /// A log that will lie at its place below a folder.
    pub fn new(folder: &Path, drv: &StorePath, compressed: bool) -> Self {
        Self { place: place(folder, drv), compressed, held: Vec::new(), file: None }
    }

    /// Adds to it.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Some(Target::Plain(file)) => return file.write_all(bytes),
            Some(Target::Compressed(encoder)) => return encoder.write_all(bytes),
            None => self.held.extend_from_slice(bytes),
        }
        if self.held.len() > SMALL {
            self.open(9)?;
        }
        Ok(())
    }

    fn open(&mut self, level: u32) -> io::Result<()> {
        if let Some(folder) = self.place.parent() {
            fs::create_dir_all(folder)?;
        }
        let held = std::mem::take(&mut self.held);
        let path = if self.compressed { with_ending(&self.place) } else { self.place.clone() };
        fs::remove_tree(&path)?;
        let mut file = fs::create_new(&path, 0o644)?;
        if self.compressed {
            let mut encoder = BzEncoder::new(file, Compression::new(level));
            encoder.write_all(&held)?;
            self.file = Some(Target::Compressed(encoder));
        } else {
            file.write_all(&held)?;
            self.file = Some(Target::Plain(file));
        }
        Ok(())
    }

    /// A builder that said nothing: what its log is compressed to is always the same.
    fn write_empty(&self) -> io::Result<()> {
        static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
        let empty = EMPTY.get_or_init(|| {
            // Writing to memory cannot fail.
            BzEncoder::new(Vec::new(), Compression::new(1)).finish().unwrap_or_default()
        });
        if let Some(folder) = self.place.parent() {
            fs::create_dir_all(folder)?;
        }
        let path = with_ending(&self.place);
        fs::remove_tree(&path)?;
        fs::write_new(&path, empty, 0o644)
    }

    /// Brings the rest to its place.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn finish(mut self) -> io::Result<()> {
        if self.file.is_none() && self.held.is_empty() && self.compressed {
            return self.write_empty();
        }
        if self.file.is_none() {
            self.open(1)?;
        }
        match self.file {
            Some(Target::Compressed(encoder)) => encoder.finish().map(drop),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_come_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let drv = StorePath::parse("00000000000000000000000000000001-x.drv").expect("a path");
        assert_eq!(read(folder.path(), &drv).expect("readable"), None);
        for (compressed, size) in [(true, 0), (true, 3), (true, 300_000), (false, 200_000)] {
            let mut log = Log::new(folder.path(), &drv, compressed);
            let text: Vec<u8> = (0..size).map(|n| b'a' + (n % 7) as u8).collect();
            for part in text.chunks(1000) {
                log.add(part).expect("written");
            }
            log.finish().expect("written");
            assert_eq!(read(folder.path(), &drv).expect("readable"), Some(text));
        }
    }
}
