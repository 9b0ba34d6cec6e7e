//! Hashes with their algorithm, in the spellings that Nix reads and writes.

use crate::{base32, base64};
use sha2::Digest as _;
use std::fmt;

/// A hash algorithm that the store knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// 16 bytes; read for old sources only.
    Md5,
    /// 20 bytes; git and old sources.
    Sha1,
    /// 32 bytes; what the store itself uses.
    Sha256,
    /// 64 bytes.
    Sha512,
    /// 32 bytes.
    Blake3,
}

impl Algorithm {
    /// The length of a hash in bytes.
    pub const fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 | Self::Blake3 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The name as Nix spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Blake3 => "blake3",
        }
    }

    /// The algorithm of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512, Self::Blake3]
            .into_iter()
            .find(|a| a.name() == name)
    }
}

/// A hash: an algorithm and its digest.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(Digest);

/// A digest with its algorithm. Evaluations and stores keep many hashes, and hardly a long one among them.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Digest {
    /// With zeros behind it, where the algorithm's are shorter.
    Usual(Algorithm, [u8; USUAL]),
    /// Of SHA-512.
    Long(Box<[u8; LONGEST]>),
}

/// The longest digest that is kept in place, in bytes.
const USUAL: usize = 32;

/// The longest digest, in bytes.
const LONGEST: usize = 64;

/// Why a text is no hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashError {
    /// The algorithm's name is none of those known.
    UnknownAlgorithm(String),
    /// Neither the text nor its context names an algorithm.
    NoAlgorithm(String),
    /// The text names another algorithm than the one that is expected.
    OtherAlgorithm(String, Algorithm),
    /// The digest has a wrong length or foreign characters.
    Malformed(String, Algorithm),
}

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAlgorithm(name) => write!(f, "unknown hash algorithm `{name}`"),
            Self::NoAlgorithm(text) => write!(f, "hash without an algorithm: `{text}`"),
            Self::OtherAlgorithm(text, wanted) => {
                write!(f, "hash should be of type `{}`: `{text}`", wanted.name())
            }
            Self::Malformed(text, algorithm) => write!(f, "no {} hash: `{text}`", algorithm.name()),
        }
    }
}

impl std::error::Error for HashError {}

impl Hash {
    /// Makes a hash from a digest; `None` where the length is not the algorithm's.
    pub fn new(algorithm: Algorithm, digest: &[u8]) -> Option<Self> {
        (digest.len() == algorithm.length()).then(|| Self::padded(algorithm, digest))
    }

    fn padded(algorithm: Algorithm, bytes: &[u8]) -> Self {
        if let Ok(digest) = <[u8; LONGEST]>::try_from(bytes) {
            return Self(Digest::Long(Box::new(digest)));
        }
        let mut digest = [0; USUAL];
        digest[..bytes.len()].copy_from_slice(bytes);
        Self(Digest::Usual(algorithm, digest))
    }

    /// Hashes bytes.
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// The SHA-256 of bytes.
    pub fn sha256(bytes: &[u8]) -> Self {
        Self::of(Algorithm::Sha256, bytes)
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Digest::Usual(algorithm, _) => *algorithm,
            Digest::Long(_) => Algorithm::Sha512,
        }
    }

    /// The digest's bytes.
    pub fn digest(&self) -> &[u8] {
        match &self.0 {
            Digest::Usual(algorithm, digest) => &digest[..algorithm.length()],
            Digest::Long(digest) => &digest[..],
        }
    }

    /// Reads `ALGO:DIGEST`, `ALGO-BASE64` (SRI), or a bare digest where `expected` names the algorithm.
    ///
    /// # Errors
    /// Any [`HashError`].
    pub fn parse(text: &str, expected: Option<Algorithm>) -> Result<Self, HashError> {
        let named = |name: &str| {
            Algorithm::from_name(name).ok_or_else(|| HashError::UnknownAlgorithm(name.to_owned()))
        };
        let (algorithm, digest, sri) = if let Some((name, digest)) = text.split_once(':') {
            (named(name)?, digest, false)
        } else if let Some((name, digest)) = text.split_once('-') {
            (named(name)?, digest, true)
        } else {
            (expected.ok_or_else(|| HashError::NoAlgorithm(text.to_owned()))?, text, false)
        };
        if expected.is_some_and(|expected| expected != algorithm) {
            return Err(HashError::OtherAlgorithm(text.to_owned(), expected.unwrap_or(algorithm)));
        }
        let digest = decode_digest(digest, algorithm, sri);
        let hash = digest.and_then(|digest| Self::new(algorithm, &digest));
        hash.ok_or_else(|| HashError::Malformed(text.to_owned(), algorithm))
    }

    /// The digest in base 16.
    pub fn base16(&self) -> String {
        let mut text = String::with_capacity(self.digest().len() * 2);
        self.push_base16(&mut text);
        text
    }

    /// Appends the digest in base 16.
    pub fn push_base16(&self, text: &mut String) {
        let mut digits = [0; 2 * LONGEST];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.digest()) {
            pair.copy_from_slice(&PAIRS[usize::from(*byte)]);
        }
        let digits = &digits[..2 * self.digest().len()];
        text.push_str(std::str::from_utf8(digits).unwrap_or_default());
    }

    /// The digest in Nix's base 32.
    pub fn base32(&self) -> String {
        base32::encode(self.digest())
    }

    /// `ALGO-BASE64`, as Subresource Integrity writes it.
    pub fn sri(&self) -> String {
        format!("{}-{}", self.algorithm().name(), base64::encode(self.digest()))
    }

    /// `ALGO:BASE16`, as the database and derivations write it.
    pub fn prefixed_base16(&self) -> String {
        let name = self.algorithm().name();
        let mut text = String::with_capacity(name.len() + 1 + 2 * self.digest().len());
        text.push_str(name);
        text.push(':');
        self.push_base16(&mut text);
        text
    }

    /// `ALGO:BASE32`, as narinfo files write it.
    pub fn prefixed_base32(&self) -> String {
        format!("{}:{}", self.algorithm().name(), self.base32())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.prefixed_base16())
    }
}

/// Each byte's two digits in base 16.
const PAIRS: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
};

fn decode_digest(text: &str, algorithm: Algorithm, sri: bool) -> Option<Vec<u8>> {
    let length = algorithm.length();
    if sri {
        return base64::decode(text).filter(|bytes| bytes.len() == length);
    }
    if text.len() == length * 2 {
        return decode_base16(text);
    }
    if text.len() == base32::encoded_length(length) {
        return base32::decode(text, length);
    }
    base64::decode(text).filter(|bytes| bytes.len() == length)
}

fn decode_base16(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    text.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Hashes what is streamed to it.
pub enum Hasher {
    /// MD5.
    Md5(md5::Md5),
    /// SHA-1.
    Sha1(sha1::Sha1),
    /// SHA-256.
    Sha256(sha2::Sha256),
    /// SHA-512.
    Sha512(sha2::Sha512),
    /// BLAKE3.
    Blake3(Box<blake3::Hasher>),
}

impl Hasher {
    /// Starts a hash.
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::Md5(md5::Md5::new()),
            Algorithm::Sha1 => Self::Sha1(sha1::Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(sha2::Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(sha2::Sha512::new()),
            Algorithm::Blake3 => Self::Blake3(Box::default()),
        }
    }

    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
            Self::Blake3(hasher) => {
                hasher.update(bytes);
            }
        }
    }

    /// Ends the hash.
    pub fn finish(self) -> Hash {
        match self {
            Self::Md5(hasher) => Hash::padded(Algorithm::Md5, &hasher.finalize()),
            Self::Sha1(hasher) => Hash::padded(Algorithm::Sha1, &hasher.finalize()),
            Self::Sha256(hasher) => Hash::padded(Algorithm::Sha256, &hasher.finalize()),
            Self::Sha512(hasher) => Hash::padded(Algorithm::Sha512, &hasher.finalize()),
            Self::Blake3(hasher) => Hash::padded(Algorithm::Blake3, hasher.finalize().as_bytes()),
        }
    }
}

impl std::io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_agree() {
        let hash = Hash::sha256(b"abc");
        assert_eq!(hash.sri(), "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
        for text in [hash.sri(), hash.prefixed_base16(), hash.prefixed_base32()] {
            assert_eq!(Hash::parse(&text, Some(Algorithm::Sha256)), Ok(hash.clone()));
        }
        assert_eq!(Hash::parse(&hash.base16(), Some(Algorithm::Sha256)), Ok(hash.clone()));
        assert!(Hash::parse(&hash.base16(), None).is_err());
        let long = Hash::of(Algorithm::Sha512, b"abc");
        assert_eq!(Hash::parse(&long.sri(), Some(Algorithm::Sha512)), Ok(long.clone()));
        assert_eq!((long.algorithm(), long.digest().len()), (Algorithm::Sha512, 64));
        assert!(Hash::parse("sha512:00", Some(Algorithm::Sha512)).is_err());
    }
}
