//! The compressions that parts of a package come in.

use crate::Problem;
use std::io::{BufReader, Read};

const BUFFER: usize = 1 << 17;

/// Opens a part by the ending of its name: `.xz`, `.zst`, `.gz`, `.lzma`, or none.
///
/// The reader takes the part to its last byte, so that what follows can be read.
pub(super) fn open<'r, R: Read + 'r>(ending: &str, part: R) -> Result<Box<dyn Read + 'r>, Problem> {
    let part = BufReader::with_capacity(BUFFER, part);
    Ok(match ending {
        "" => Box::new(part),
        ".gz" => Box::new(flate2::bufread::MultiGzDecoder::new(part)),
        ".xz" => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(part)),
        ".lzma" => {
            let stream = liblzma::stream::Stream::new_lzma_decoder(u64::MAX);
            let stream = stream.map_err(|error| Problem::Damaged(error.to_string()))?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(part, stream))
        }
        ".zst" => {
            let decoder = zstd::stream::read::Decoder::with_buffer(part);
            Box::new(decoder.map_err(|error| Problem::Damaged(error.to_string()))?)
        }
        other => return Err(Problem::Format(format!("the compression `{other}` is not known"))),
    })
}
