//! Replacing texts by others of the same length in a stream, as self-references are when contents are hashed.

use crate::hash::{Algorithm, Hash, Hasher};
use std::io::{self, Write};

/// Replaces texts by others of the same length in what is written through it.
pub struct Rewriter<W: Write> {
    out: W,
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
    /// What may be the beginning of a text that goes on with the next bytes.
    kept: Vec<u8>,
    longest: usize,
}

impl<W: Write> Rewriter<W> {
    /// Starts with pairs of a text and its replacement; those that are empty or of different lengths are left out.
    pub fn new(pairs: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>, out: W) -> Self {
        let usable = |pair: &(Vec<u8>, Vec<u8>)| !pair.0.is_empty() && pair.0.len() == pair.1.len();
        let pairs: Vec<_> = pairs.into_iter().filter(usable).collect();
        let longest = pairs.iter().map(|(from, _)| from.len()).max().unwrap_or(1);
        Self { out, pairs, kept: Vec::new(), longest }
    }

    /// Writes what is left, and gives the writer back.
    ///
    /// # Errors
    /// What the writer says.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&self.kept)?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Rewriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.kept.extend_from_slice(bytes);
        for (from, to) in &self.pairs {
            let mut at = 0;
            while let Some(found) = find(&self.kept[at..], from) {
                self.kept[at + found..at + found + from.len()].copy_from_slice(to);
                at += found + from.len();
            }
        }
        let done = self.kept.len().saturating_sub(self.longest - 1);
        self.out.write_all(&self.kept[..done])?;
        self.kept.drain(..done);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Finds a text by its first byte, which is rare in most contents.
fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    let (first, last) = (*text.first()?, bytes.len().checked_sub(text.len())?);
    let mut at = 0;
    while at <= last {
        at += bytes[at..=last].iter().position(|byte| *byte == first)?;
        if bytes[at..].starts_with(text) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Hashes contents as if the digits of their own path were zero bytes, as paths are hashed whose name comes from contents
/// that name themselves. Where the digits stood is not hashed: older versions of C++ Nix did that, 2.34 does not.
pub struct ModuloHasher(Rewriter<Hasher>);

impl ModuloHasher {
    /// Starts a hash that does not see these digits.
    pub fn new(algorithm: Algorithm, digits: &str) -> Self {
        let pair = (digits.as_bytes().to_vec(), vec![0; digits.len()]);
        Self(Rewriter::new([pair], Hasher::new(algorithm)))
    }

    /// Ends the hash.
    ///
    /// # Errors
    /// Never: hashing in memory does not fail.
    pub fn finish(self) -> io::Result<Hash> {
        Ok(self.0.finish()?.finish())
    }
}

impl Write for ModuloHasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store_path::{ContentMethod, References, StoreDir};

    // nix store make-content-addressed of a file that names itself twice, by C++ Nix 2.34.8 in a store of its own.
    #[test]
    fn own_digits_are_zero_and_nothing_more() {
        let digits = "idw6kk6dhasj6cfmkxv4h2mdfbcfxa45";
        let text = format!("self /own/store/{digits}-leaf and /own/store/{digits}-leaf\n");
        for size in [1, 7, 32, 500] {
            let mut hasher = ModuloHasher::new(Algorithm::Sha256, digits);
            for piece in crate::nar::of_file(false, text.as_bytes()).chunks(size) {
                hasher.write_all(piece).unwrap();
            }
            let hash = hasher.finish().unwrap();
            let references = References { others: Vec::new(), to_self: true };
            let path = StoreDir::new("/own/store").fixed_output_path(
                ContentMethod::Recursive,
                &hash,
                &references,
                "leaf",
            );
            assert_eq!(
                path.unwrap().base_name(),
                "4iqf5chclyajpg08gimrbcfalxj50ng8-leaf",
                "pieces of {size}"
            );
        }
    }

    #[test]
    fn pieces_give_what_the_whole_gives() {
        let text = b"xxabcabxabcdabc-ab";
        let wanted = b"xxABCabxABCdABC-ab";
        for size in 1..text.len() {
            let mut rewriter = Rewriter::new([(b"abc".to_vec(), b"ABC".to_vec())], Vec::new());
            for piece in text.chunks(size) {
                rewriter.write_all(piece).unwrap();
            }
            assert_eq!(rewriter.finish().unwrap(), wanted, "pieces of {size}");
        }
    }
}
