//! Writing what an archive holds to the disk, in the store's form.

use super::Counting;
use crate::error::{Doing as _, Error};
use nival_store_model::Hash;
use nival_store_model::nar::{Decoder, Event, NarError, Problem};
use nival_sys::fault;
use nival_sys::fs::folder::{Folder, seal_file};
use std::ffi::{OsStr, OsString};
use std::io::{self, BufReader, Read, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

/// The modification time of everything in a store.
const MODIFIED: i64 = 1;

/// What a restored archive was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// SHA-256 of the archive.
    pub hash: Hash,
    /// Bytes of the archive.
    pub size: u64,
}

/// Writes an archive, of which the input holds nothing else, to a path that is not there yet, in the store's form.
///
/// # Errors
/// [`Error::Archive`] where the input is no archive or goes on behind it, [`Error::Io`]. What was written stays then.
pub fn restore(input: impl Read, target: &Path) -> Result<Restored, Error> {
    let mut decoder = Decoder::new(Hashing::new(BufReader::with_capacity(1 << 16, input)));
    write_tree(&mut decoder, target)?;
    decoder.expect_end()?;
    Ok(decoder.into_inner().finish())
}

/// Writes the next archive of a stream to a path that is not there yet, in the store's form, and reads nothing behind
/// it. The input should have a buffer.
///
/// # Errors
/// As [`restore`].
pub fn restore_next(input: impl Read, target: &Path) -> Result<Restored, Error> {
    let mut decoder = Decoder::new(Hashing::new(input));
    write_tree(&mut decoder, target)?;
    Ok(decoder.into_inner().finish())
}

/// Reads the next archive of a stream without writing it, and nothing behind it.
///
/// # Errors
/// [`Error::Archive`].
pub fn skip_next(input: impl Read) -> Result<Restored, Error> {
    let mut decoder = Decoder::new(Hashing::new(input));
    decoder.finish()?;
    Ok(decoder.into_inner().finish())
}

/// Hashes and counts what is read through it.
struct Hashing<R> {
    input: R,
    counting: Counting,
}

impl<R: Read> Hashing<R> {
    fn new(input: R) -> Self {
        Self { input, counting: Counting::default() }
    }

    fn finish(self) -> Restored {
        let (hash, size) = self.counting.finish();
        Restored { hash, size }
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.counting.write_all(&buffer[..count])?;
        Ok(count)
    }
}

fn write_tree<R: Read>(decoder: &mut Decoder<R>, target: &Path) -> Result<(), Error> {
    let doing = || format!("unpack an archive to `{}`", target.display());
    let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
        return Err(io::Error::from(io::ErrorKind::InvalidInput)).doing(doing);
    };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    // The folder itself may be reached through a link of the user's; below it none is followed.
    let parent = parent.canonicalize().doing(doing)?;
    let mut open = vec![Folder::open(&parent).doing(doing)?];
    let mut name = name.to_owned();
    let mut buffer = vec![0; 1 << 16];
    while let Some(event) = decoder.next()? {
        let Some(folder) = open.last() else { break };
        match event {
            Event::Directory => {
                let made = folder.make_folder(&name).doing(doing)?;
                open.push(made);
            }
            Event::EndDirectory => {
                folder.seal(0o555, MODIFIED).doing(doing)?;
                open.pop();
            }
            Event::Entry(next) => name = OsString::from_vec(next),
            Event::Symlink(to) => {
                folder.make_link(&name, OsStr::from_bytes(&to), MODIFIED).doing(doing)?;
            }
            Event::File { executable, .. } => {
                write_file(decoder, folder, &name, executable, &mut buffer)?;
            }
        }
    }
    Ok(())
}

fn write_file<R: Read>(
    decoder: &mut Decoder<R>,
    folder: &Folder,
    name: &OsStr,
    executable: bool,
    buffer: &mut [u8],
) -> Result<(), Error> {
    let path = folder.path().join(name);
    let doing = || format!("unpack `{}`", path.display());
    let mut file = folder.make_file(name).doing(doing)?;
    loop {
        let at = decoder.position();
        let count = match decoder.contents().read(buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unread(at, error)),
        };
        fault::point("write", &path).doing(doing)?;
        file.write_all(&buffer[..count]).doing(doing)?;
    }
    seal_file(&file, &path, if executable { 0o555 } else { 0o444 }, MODIFIED).doing(doing)
}

/// The archive's own complaint, which comes wrapped where contents are read.
fn unread(at: u64, error: io::Error) -> Error {
    match error.downcast::<NarError>() {
        Ok(error) => Error::Archive(error),
        Err(error) => Error::Archive(NarError { at, problem: Problem::Input(error) }),
    }
}
