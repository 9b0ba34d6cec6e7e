//! Finding which paths a tree refers to, and exchanging one path's hash for another's.
//!
//! A reference is the 32 digits of a path's hash, anywhere in the bytes of a NAR.

use nival_store_model::StorePath;
use nival_store_model::base32;
use nival_store_model::store_path::HASH_DIGITS;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

/// Looks for the hashes of paths in all that is written to it.
pub struct Scanner {
    wanted: HashMap<[u8; HASH_DIGITS], StorePath>,
    found: BTreeSet<StorePath>,
    /// The last bytes of what was written before.
    tail: Vec<u8>,
}

impl Scanner {
    /// A scanner for paths that may be referred to.
    pub fn new<'a>(paths: impl IntoIterator<Item = &'a StorePath>) -> Self {
        let digits = |path: &StorePath| path.hash_part().as_bytes().try_into().ok();
        let wanted = paths.into_iter().filter_map(|path| Some((digits(path)?, path.clone()))).collect();
        Self { wanted, found: BTreeSet::new(), tail: Vec::new() }
    }

    /// What was found.
    pub fn found(self) -> BTreeSet<StorePath> {
        self.found
    }

    fn search(&mut self, bytes: &[u8]) {
        if self.wanted.is_empty() {
            return;
        }
        let mut at = 0;
        while at + HASH_DIGITS <= bytes.len() {
            // The last byte of a window that is no digit rules out every window that holds it.
            match bytes[at..at + HASH_DIGITS].iter().rposition(|byte| !base32::is_digit(*byte)) {
                Some(foreign) => at += foreign + 1,
                None => {
                    if let Some(path) = bytes[at..].first_chunk().and_then(|digits| self.wanted.get(digits)) {
                        self.found.insert(path.clone());
                    }
                    at += 1;
                }
            }
        }
    }
}

impl Write for Scanner {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let seam = HASH_DIGITS - 1;
        let mut joined = std::mem::take(&mut self.tail);
        joined.extend_from_slice(&bytes[..bytes.len().min(seam)]);
        self.search(&joined);
        self.search(bytes);
        if bytes.len() >= seam {
            joined.clear();
            joined.extend_from_slice(&bytes[bytes.len() - seam..]);
        } else {
            let drop = joined.len().saturating_sub(seam);
            joined.drain(..drop);
        }
        self.tail = joined;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hands on what is written to it with some hashes replaced by others, and tells where one of them stood.
pub struct Rewriter<W> {
    to: W,
    rewrites: BTreeMap<[u8; HASH_DIGITS], [u8; HASH_DIGITS]>,
    held: Vec<u8>,
    /// How many bytes were handed on.
    position: u64,
    /// Where hashes were replaced.
    pub places: Vec<u64>,
}

impl<W: Write> Rewriter<W> {
    /// Replaces the first of each pair by the second; both are hash parts of paths.
    pub fn new(to: W, pairs: &[(String, String)]) -> Self {
        let digits = |text: &str| text.as_bytes().try_into().ok();
        let rewrites = pairs.iter().filter_map(|(from, to)| Some((digits(from)?, digits(to)?))).collect();
        Self { to, rewrites, held: Vec::new(), position: 0, places: Vec::new() }
    }

    fn replace(&mut self) {
        let mut at = 0;
        while at + HASH_DIGITS <= self.held.len() {
            match self.held[at..at + HASH_DIGITS].iter().rposition(|byte| !base32::is_digit(*byte)) {
                Some(foreign) => at += foreign + 1,
                None => {
                    let window = self.held[at..].first_chunk().and_then(|digits| self.rewrites.get(digits));
                    if let Some(new) = window {
                        self.held[at..at + HASH_DIGITS].copy_from_slice(new);
                        self.places.push(self.position + at as u64);
                        at += HASH_DIGITS;
                    } else {
                        at += 1;
                    }
                }
            }
        }
    }

    /// Hands on the rest and gives back what was written to.
    ///
    /// # Errors
    /// What the writer says.
    pub fn finish(mut self) -> io::Result<(W, Vec<u64>)> {
        self.replace();
        self.to.write_all(&self.held)?;
        Ok((self.to, self.places))
    }
}

impl<W: Write> Write for Rewriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        self.replace();
        let ready = self.held.len().saturating_sub(HASH_DIGITS - 1);
        self.to.write_all(&self.held[..ready])?;
        self.position += ready as u64;
        self.held.drain(..ready);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "00000000000000000000000000000001";
    const B: &str = "0000000000000000000000000000000z";

    fn path(digits: &str) -> StorePath {
        StorePath::parse(&format!("{digits}-x")).expect("a path")
    }

    #[test]
    fn references_are_found_over_every_seam() {
        let text = format!("xx/{A}-x and 0{B}-y {}", &A[..31]);
        for size in 1..text.len() {
            let paths = [path(A), path(B), path("1111111111111111111111111111111v")];
            let mut scanner = Scanner::new(&paths);
            for part in text.as_bytes().chunks(size) {
                scanner.write_all(part).expect("memory");
            }
            let wanted: BTreeSet<_> = [path(A), path(B)].into();
            assert_eq!(scanner.found(), wanted, "{size}");
        }
    }

    #[test]
    fn hashes_are_replaced_over_every_seam() {
        let text = format!("{A}|x{A}-{B}");
        for size in 1..text.len() {
            let mut rewriter = Rewriter::new(Vec::new(), &[(A.to_owned(), B.to_owned())]);
            for part in text.as_bytes().chunks(size) {
                rewriter.write_all(part).expect("memory");
            }
            let (bytes, places) = rewriter.finish().expect("memory");
            assert_eq!(String::from_utf8_lossy(&bytes), format!("{B}|x{B}-{B}"));
            assert_eq!(places, [0, 34]);
        }
    }
}
