//! Unpacking archives into a new folder.
//!
//! Every name is made to lie below the folder, and nothing is written through a link:
//! what was unpacked so far is kept in mind, and a name below something that is no
//! folder is an error.

mod tar;
mod tree;
mod zip;

use super::error::{At as _, Error};
use std::fs::File;
use std::io::{BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use tree::Target;

/// Unpacks an archive into `to`, which must not exist; the newest time of modification in it.
///
/// # Errors
/// [`Error::Archive`], [`Error::Io`].
pub(crate) fn unpack(archive: &Path, name: &str, to: &Path) -> Result<u64, Error> {
    let mut file = File::open(archive).at(archive)?;
    let mut start = [0; 6];
    let length = file.read(&mut start).at(archive)?;
    file.seek(SeekFrom::Start(0)).at(archive)?;
    let mut target = Target::new(to, name)?;
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        zip::unpack(&mut file, &mut target)?;
    } else {
        tar::unpack(decompressed(file, &start[..length]).at(archive)?, &mut target)?;
    }
    Ok(target.newest)
}

fn decompressed(file: File, start: &[u8]) -> std::io::Result<Box<dyn Read>> {
    let file = BufReader::with_capacity(1 << 16, file);
    Ok(match start {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(file)),
        [b'B', b'Z', b'h', ..] => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::read::Decoder::with_buffer(file)?),
        [0x5d, 0, 0, ..] => {
            let stream = liblzma::stream::Stream::new_lzma_decoder(u64::MAX).map_err(std::io::Error::from)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(file, stream))
        }
        _ => Box::new(file),
    })
}

/// The one folder that is all that a folder holds, or the folder itself.
pub(crate) fn without_single_folder(folder: &Path) -> Result<PathBuf, Error> {
    let mut entries = folder.read_dir().at(folder)?;
    if let (Some(first), None) = (entries.next(), entries.next()) {
        let first = first.at(folder)?;
        if first.file_type().at(folder)?.is_dir() {
            return Ok(first.path());
        }
    }
    Ok(folder.to_owned())
}
