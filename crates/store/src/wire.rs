//! Numbers, texts, lists and streams as Nix's protocols write them: 64 bits little-endian, texts filled up to eight bytes.

use std::io::{self, Read, Write};

/// The longest text that is read; nothing that a daemon says is longer.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Reads what the protocol writes.
pub(crate) trait ReadWire: Read + Sized {
    fn number(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.read_exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn flag(&mut self) -> io::Result<bool> {
        Ok(self.number()? != 0)
    }

    fn raw(&mut self) -> io::Result<Vec<u8>> {
        let length = self.number()?;
        if length > LONGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a text is too long"));
        }
        // As much as has come, so that a length that lies costs nothing.
        let mut bytes = Vec::new();
        self.by_ref().take(length).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut padding = [0; 7];
        let padding = &mut padding[..((8 - length % 8) % 8) as usize];
        self.read_exact(padding)?;
        Ok(bytes)
    }

    fn text(&mut self) -> io::Result<String> {
        Ok(String::from_utf8_lossy(&self.raw()?).into_owned())
    }

    fn texts(&mut self) -> io::Result<Vec<String>> {
        let count = self.number()?;
        (0..count).map(|_| self.text()).collect()
    }
}

impl<R: Read> ReadWire for R {}

/// Writes what the protocol reads.
pub(crate) trait WriteWire: Write {
    fn put(&mut self, number: u64) -> io::Result<()> {
        self.write_all(&number.to_le_bytes())
    }

    fn put_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.put(bytes.len() as u64)?;
        self.write_all(bytes)?;
        self.write_all(&[0; 8][..(8 - bytes.len() % 8) % 8])
    }

    fn put_text(&mut self, text: &str) -> io::Result<()> {
        self.put_bytes(text.as_bytes())
    }

    fn put_texts<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) -> io::Result<()>
    where
        Self: Sized,
    {
        let texts: Vec<_> = texts.into_iter().collect();
        self.put(texts.len() as u64)?;
        texts.into_iter().try_for_each(|text| self.put_text(text))
    }
}

impl<W: Write + ?Sized> WriteWire for W {}

/// A stream that comes in frames, the last of which is empty.
pub(crate) struct Frames<R> {
    input: R,
    left: u64,
    is_over: bool,
}

impl<R: Read> Frames<R> {
    pub(crate) const fn new(input: R) -> Self {
        Self { input, left: 0, is_over: false }
    }

    /// Reads what nobody wanted, so that what follows the stream can be read.
    pub(crate) fn drain(&mut self) -> io::Result<()> {
        io::copy(self, &mut io::sink()).map(drop)
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.is_over {
            self.left = self.input.number()?;
            self.is_over = self.left == 0;
        }
        if self.is_over || buffer.is_empty() {
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.input.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_joined_and_what_follows_stays() {
        let mut bytes = Vec::new();
        for frame in ["ab", "cde", ""] {
            bytes.put(frame.len() as u64).unwrap();
            bytes.extend(frame.as_bytes());
        }
        bytes.push(b'x');
        let mut input = bytes.as_slice();
        let mut text = String::new();
        Frames::new(&mut input).read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), input), ("abcde", &b"x"[..]));
        let mut cut = &bytes[..9];
        assert!(Frames::new(&mut cut).drain().is_err());
    }

    #[test]
    fn texts_are_filled_up() {
        let mut bytes = Vec::new();
        bytes.put_texts(["", "abc", "12345678"]).unwrap();
        assert_eq!(bytes.len(), 8 + 8 + 16 + 16);
        assert_eq!(bytes.as_slice().texts().unwrap(), ["", "abc", "12345678"]);
        let lie = [u64::MAX.to_le_bytes(), *b"short   "].concat();
        assert!(ReadWire::raw(&mut lie.as_slice()).is_err());
    }
}
