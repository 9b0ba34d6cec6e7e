//! Numbers, texts and lists as the worker protocol writes them: 64 bits little-endian, texts filled up to eight bytes.

use std::io::{self, Read, Write};

/// The longest text that is read; nothing that a daemon says is longer.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Reads what the protocol writes.
pub(super) trait ReadWire: Read + Sized {
    fn number(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.read_exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn flag(&mut self) -> io::Result<bool> {
        Ok(self.number()? != 0)
    }

    fn bytes(&mut self) -> io::Result<Vec<u8>> {
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
        Ok(String::from_utf8_lossy(&self.bytes()?).into_owned())
    }

    fn texts(&mut self) -> io::Result<Vec<String>> {
        let count = self.number()?;
        (0..count).map(|_| self.text()).collect()
    }
}

impl<R: Read> ReadWire for R {}

/// Writes what the protocol reads.
pub(super) trait WriteWire: Write {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_filled_up() {
        let mut bytes = Vec::new();
        bytes.put_texts(["", "abc", "12345678"]).unwrap();
        assert_eq!(bytes.len(), 8 + 8 + 16 + 16);
        assert_eq!(bytes.as_slice().texts().unwrap(), ["", "abc", "12345678"]);
        let lie = [u64::MAX.to_le_bytes(), *b"short   "].concat();
        assert!(ReadWire::bytes(&mut lie.as_slice()).is_err());
    }
}
