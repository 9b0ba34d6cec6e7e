//! Compressing and decompressing what caches hold.

use nival_store_model::Compression;
use std::io::{self, Read, Write};

/// The most memory that decompressing may take.
const MEMORY: u64 = 1 << 30;

/// The bytes that were compressed.
pub(crate) fn decoder<'a>(compression: Compression, input: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match compression {
        Compression::None => Box::new(input),
        Compression::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(MEMORY, liblzma::stream::CONCATENATED);
            Box::new(liblzma::read::XzDecoder::new_stream(input, stream.map_err(io::Error::other)?))
        }
        Compression::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(input)),
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(input)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(input)?),
        Compression::Brotli => Box::new(brotli::Decompressor::new(input, 1 << 16)),
    })
}

/// Compresses what is written to it.
pub(crate) enum Compressor<W: Write> {
    None(W),
    Xz(liblzma::write::XzEncoder<W>),
    Bzip2(bzip2::write::BzEncoder<W>),
    Gzip(flate2::write::GzEncoder<W>),
    Zstd(zstd::stream::write::Encoder<'static, W>),
    Brotli(Box<brotli::CompressorWriter<W>>),
}

impl<W: Write> Compressor<W> {
    /// Compresses to a writer. Without a level, or with -1, it is the one that the program of that name takes.
    pub(crate) fn new(compression: Compression, level: i32, to: W) -> io::Result<Self> {
        let level = u32::try_from(level).ok();
        let within = |usual: u32, most: u32| level.unwrap_or(usual).min(most);
        Ok(match compression {
            Compression::None => Self::None(to),
            Compression::Xz => Self::Xz(liblzma::write::XzEncoder::new(to, within(6, 9))),
            Compression::Bzip2 => {
                Self::Bzip2(bzip2::write::BzEncoder::new(to, bzip2::Compression::new(within(9, 9).max(1))))
            }
            Compression::Gzip => {
                Self::Gzip(flate2::write::GzEncoder::new(to, flate2::Compression::new(within(6, 9))))
            }
            Compression::Zstd => {
                Self::Zstd(zstd::stream::write::Encoder::new(to, within(3, 22).cast_signed())?)
            }
            Compression::Brotli => {
                Self::Brotli(Box::new(brotli::CompressorWriter::new(to, 1 << 16, within(11, 11), 22)))
            }
        })
    }

    /// Writes the end and gives the writer back.
    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::None(to) => Ok(to),
            Self::Xz(encoder) => encoder.finish(),
            Self::Bzip2(encoder) => encoder.finish(),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
            Self::Brotli(mut encoder) => {
                encoder.flush()?;
                Ok(encoder.into_inner())
            }
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::None(to) => to.write(bytes),
            Self::Xz(encoder) => encoder.write(bytes),
            Self::Bzip2(encoder) => encoder.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
            Self::Brotli(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_compression_goes_there_and_back() {
        let bytes: Vec<u8> = (0..200_000u32).flat_map(|n| (n / 3).to_le_bytes()).collect();
        for compression in Compression::ALL {
            for level in [-1, 1] {
                let mut writer = Compressor::new(compression, level, Vec::new()).unwrap();
                writer.write_all(&bytes).unwrap();
                let packed = writer.finish().unwrap();
                assert!(compression == Compression::None || packed.len() < bytes.len() / 2);
                let mut back = Vec::new();
                decoder(compression, packed.as_slice()).unwrap().read_to_end(&mut back).unwrap();
                assert!(back == bytes, "{compression:?}");
            }
        }
    }
}
