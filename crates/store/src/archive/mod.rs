//! The NAR of a file or tree on the disk, and back.

mod restore;

pub use restore::{Restored, restore, restore_next, skip_next};

mod git;

use crate::error::{Doing as _, Error};
use nival_store_model::nar::Encoder;
use nival_store_model::rewrite::ModuloHasher;
use nival_store_model::{Algorithm, ContentMethod, Hash, Hasher};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Decides which entries of a tree count, by path and kind.
pub type Filter<'a> = &'a mut dyn FnMut(&Path, &std::fs::FileType) -> Result<bool, Error>;

/// Writes the NAR of a path.
///
/// # Errors
/// [`Error::Io`], [`Error::Special`], or what the filter says.
pub fn dump(path: &Path, out: &mut dyn Write, filter: Option<Filter<'_>>) -> Result<(), Error> {
    let mut keep = filter;
    let mut encoder = Encoder::new(BufWriter::with_capacity(1 << 16, out)).doing(|| reading(path))?;
    node(path, &mut encoder, &mut keep)?;
    encoder.into_inner().flush().doing(|| reading(path))
}

/// The SHA-256 and the size in bytes of the NAR of a path.
///
/// # Errors
/// As [`dump`].
pub fn hash(path: &Path, filter: Option<Filter<'_>>) -> Result<(Hash, u64), Error> {
    let mut counting = Counting::default();
    dump(path, &mut counting, filter)?;
    Ok(counting.finish())
}

/// As [`hash`], and hands every byte on to a second reader of the archive.
///
/// # Errors
/// As [`dump`].
pub fn hash_with(path: &Path, also: &mut dyn Write) -> Result<(Hash, u64), Error> {
    struct Both<'a>(Counting, &'a mut dyn Write);
    impl Write for Both<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.write_all(bytes)?;
            self.0.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut both = Both(Counting::default(), also);
    dump(path, &mut both, None)?;
    Ok(both.0.finish())
}

/// The hash of a path's contents as a content address takes it: of the one file's bytes, of the NAR, or of git's form.
///
/// # Errors
/// As [`dump`]; [`Error::NotAFile`] where a method that takes a file's bytes meets something else.
pub fn content_hash(path: &Path, method: ContentMethod, algorithm: Algorithm) -> Result<Hash, Error> {
    let mut hasher = Hasher::new(algorithm);
    match method {
        ContentMethod::Recursive => dump(path, &mut hasher, None)?,
        ContentMethod::Git => return git::hash(path, algorithm),
        ContentMethod::Flat | ContentMethod::Text => {
            if !path.symlink_metadata().doing(|| reading(path))?.is_file() {
                return Err(Error::NotAFile(path.to_owned()));
            }
            let mut file = File::open(path).doing(|| reading(path))?;
            io::copy(&mut file, &mut hasher).doing(|| reading(path))?;
        }
    }
    Ok(hasher.finish())
}

/// The hash of a path's NAR in which the path's own digits are zero bytes.
///
/// # Errors
/// As [`dump`].
pub fn hash_modulo(path: &Path, algorithm: Algorithm, digits: &str) -> Result<Hash, Error> {
    let mut hasher = ModuloHasher::new(algorithm, digits);
    dump(path, &mut hasher, None)?;
    hasher.finish().doing(|| reading(path))
}

/// Hashes and counts what is written to it.
pub(crate) struct Counting {
    hasher: Hasher,
    bytes: u64,
}

impl Default for Counting {
    fn default() -> Self {
        Self { hasher: Hasher::new(Algorithm::Sha256), bytes: 0 }
    }
}

impl Counting {
    /// The SHA-256 and the number of bytes.
    pub(crate) fn finish(self) -> (Hash, u64) {
        (self.hasher.finish(), self.bytes)
    }
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn reading(path: &Path) -> String {
    format!("read `{}`", path.display())
}

fn node<W: Write>(path: &Path, out: &mut Encoder<W>, keep: &mut Option<Filter<'_>>) -> Result<(), Error> {
    let metadata = path.symlink_metadata().doing(|| reading(path))?;
    let kind = metadata.file_type();
    if kind.is_file() {
        let executable = metadata.permissions().mode() & 0o100 != 0;
        let mut file = File::open(path).doing(|| reading(path))?;
        return out.file(executable, metadata.len(), &mut file).doing(|| reading(path));
    }
    if kind.is_symlink() {
        let target = path.read_link().doing(|| reading(path))?;
        return out.symlink(target.as_os_str().as_bytes()).doing(|| reading(path));
    }
    if !kind.is_dir() {
        return Err(Error::Special(path.to_owned()));
    }
    out.begin_directory().doing(|| reading(path))?;
    let mut entries: Vec<_> = path.read_dir().and_then(Iterator::collect).doing(|| reading(path))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if let Some(keep) = keep {
            let kind = entry.file_type().doing(|| reading(&path))?;
            if !keep(&path, &kind)? {
                continue;
            }
        }
        out.begin_entry(entry.file_name().as_bytes()).doing(|| reading(&path))?;
        node(&path, out, keep)?;
        out.end_entry().doing(|| reading(&path))?;
    }
    out.end_directory().doing(|| reading(path))
}
