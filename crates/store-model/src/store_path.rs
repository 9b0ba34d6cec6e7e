//! Store paths: their form, and how they are computed from what they name.

use crate::base32;
use crate::hash::{Algorithm, Hash};
use std::fmt;
use std::sync::Arc;

/// The logical store directory, `/nix/store` unless the user says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoreDir(String);

impl Default for StoreDir {
    fn default() -> Self {
        Self("/nix/store".to_owned())
    }
}

/// The last part of a store path: 32 digits of hash, a dash, a name. Copies share the text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StorePath(Arc<str>);

/// Why a text is no store path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorePathError {
    /// It does not lie below the store directory.
    NotInStore(String),
    /// The hash part is too short or has foreign characters.
    BadHash(String),
    /// The name is empty, longer than 211 characters, starts with a dot, or has foreign characters.
    BadName(String),
}

impl fmt::Display for StorePathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInStore(text) => write!(f, "path is not in the store: `{text}`"),
            Self::BadHash(text) => write!(f, "store path has no valid hash: `{text}`"),
            Self::BadName(text) => {
                write!(f, "invalid name of a store path: `{text}`")?;
                match text.chars().find(|c| !u8::try_from(*c).is_ok_and(is_allowed)) {
                    Some(wrong) => write!(f, " contains illegal character `{wrong}`"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl std::error::Error for StorePathError {}

/// How contents were hashed for a content-addressed path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ContentMethod {
    /// The bytes of one file.
    Flat,
    /// The NAR of a file or tree.
    Recursive,
    /// The bytes of one file, which may refer to other paths.
    Text,
    /// The git tree hash.
    Git,
}

impl ContentMethod {
    /// The prefix of the hash in descriptions: empty, `r:`, `text:` or `git:`.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Flat => "",
            Self::Recursive => "r:",
            Self::Text => "text:",
            Self::Git => "git:",
        }
    }
}

/// The digits of the hash part.
pub const HASH_DIGITS: usize = 32;

/// The bytes that the hash part stands for.
const HASH_BYTES: usize = 20;

/// The longest name.
const LONGEST_NAME: usize = 211;

/// Whether a name may have this byte.
fn is_allowed(byte: u8) -> bool {
    ALLOWED[usize::from(byte)]
}

const ALLOWED: [bool; 256] = {
    let (mut allowed, mut n) = ([false; 256], 0);
    while n < 256 {
        let byte = n as u8;
        allowed[n] = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_' | b'?' | b'=');
        n += 1;
    }
    allowed
};

/// Checks the name of a store path.
///
/// # Errors
/// [`StorePathError::BadName`].
pub fn check_name(name: &str) -> Result<(), StorePathError> {
    let dots = name == "." || name == ".." || name.starts_with(".-") || name.starts_with("..-");
    if name.is_empty() || name.len() > LONGEST_NAME || dots || !name.bytes().all(is_allowed) {
        return Err(StorePathError::BadName(name.to_owned()));
    }
    Ok(())
}

impl StorePath {
    /// Reads `HASH-NAME`.
    ///
    /// # Errors
    /// [`StorePathError::BadHash`] or [`StorePathError::BadName`].
    pub fn parse(base_name: &str) -> Result<Self, StorePathError> {
        let bad = || StorePathError::BadHash(base_name.to_owned());
        let (hash, name) = base_name.split_at_checked(HASH_DIGITS).ok_or_else(bad)?;
        if !hash.bytes().all(base32::is_digit) {
            return Err(bad());
        }
        check_name(name.strip_prefix('-').ok_or_else(bad)?)?;
        Ok(Self(base_name.into()))
    }

    /// Makes a path from a digest, compressed to 20 bytes, and a name.
    ///
    /// # Errors
    /// [`StorePathError::BadName`].
    pub fn from_digest(digest: &[u8], name: &str) -> Result<Self, StorePathError> {
        check_name(name)?;
        let mut folded = [0; HASH_BYTES];
        for (n, byte) in digest.iter().enumerate() {
            folded[n % HASH_BYTES] ^= byte;
        }
        let mut text = [b'-'; HASH_DIGITS + 1 + LONGEST_NAME];
        base32::encode_into(&folded, &mut text[..HASH_DIGITS]);
        let text = &mut text[..HASH_DIGITS + 1 + name.len()];
        text[HASH_DIGITS + 1..].copy_from_slice(name.as_bytes());
        let text = std::str::from_utf8(text).map_err(|_| StorePathError::BadName(name.to_owned()))?;
        Ok(Self(text.into()))
    }

    /// `HASH-NAME`.
    pub fn base_name(&self) -> &str {
        &self.0
    }

    /// The 32 digits.
    pub fn hash_part(&self) -> &str {
        &self.0[..HASH_DIGITS]
    }

    /// The name behind the dash.
    pub fn name(&self) -> &str {
        &self.0[HASH_DIGITS + 1..]
    }

    /// Whether the path names a derivation.
    pub fn is_derivation(&self) -> bool {
        self.0.ends_with(".drv")
    }
}

impl fmt::Debug for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a path refers to: other paths, and maybe itself.
#[derive(Clone, Debug, Default)]
pub struct References {
    /// Other paths, sorted.
    pub others: Vec<StorePath>,
    /// Whether the contents name the path itself.
    pub to_self: bool,
}

impl StoreDir {
    /// A store directory at an absolute path without a final slash.
    pub fn new(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// The directory as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The full path.
    pub fn print(&self, path: &StorePath) -> String {
        let mut text = String::with_capacity(self.0.len() + 1 + path.0.len());
        self.push(&mut text, path);
        text
    }

    /// Appends the full path.
    pub fn push(&self, text: &mut String, path: &StorePath) {
        text.push_str(&self.0);
        text.push('/');
        text.push_str(&path.0);
    }

    /// Reads a full path that names a store object itself.
    ///
    /// # Errors
    /// Any [`StorePathError`].
    pub fn parse(&self, path: &str) -> Result<StorePath, StorePathError> {
        let (store_path, rest) = self.parse_prefix(path)?;
        if rest.is_empty() { Ok(store_path) } else { Err(StorePathError::BadName(path.to_owned())) }
    }

    /// Splits a full path into the store object that it lies in and the rest.
    ///
    /// # Errors
    /// Any [`StorePathError`].
    pub fn parse_prefix<'a>(&self, path: &'a str) -> Result<(StorePath, &'a str), StorePathError> {
        let outside = || StorePathError::NotInStore(path.to_owned());
        let inner = path.strip_prefix(&self.0).and_then(|rest| rest.strip_prefix('/')).ok_or_else(outside)?;
        let end = inner.find('/').unwrap_or(inner.len());
        Ok((StorePath::parse(&inner[..end])?, &inner[end..]))
    }

    /// Computes a path from a type, an inner hash and a name.
    ///
    /// # Errors
    /// [`StorePathError::BadName`].
    pub fn make(&self, kind: &str, inner: &Hash, name: &str) -> Result<StorePath, StorePathError> {
        self.made(kind.to_owned(), inner, name)
    }

    fn made(&self, kind: String, inner: &Hash, name: &str) -> Result<StorePath, StorePathError> {
        let mut text = kind;
        text.reserve(160 + self.0.len() + name.len());
        for word in [":", inner.algorithm().name(), ":"] {
            text.push_str(word);
        }
        inner.push_base16(&mut text);
        for word in [":", &self.0, ":", name] {
            text.push_str(word);
        }
        StorePath::from_digest(Hash::sha256(text.as_bytes()).digest(), name)
    }

    fn typed(&self, kind: &str, others: &[StorePath], to_self: bool) -> String {
        let each = self.0.len() + HASH_DIGITS + 32;
        let mut text = String::with_capacity(kind.len() + others.len() * each + 256);
        text.push_str(kind);
        for path in others {
            text.push(':');
            self.push(&mut text, path);
        }
        if to_self {
            text.push_str(":self");
        }
        text
    }

    /// The path of a text (derivations, `toFile`), by its bytes' SHA-256 and references.
    ///
    /// # Errors
    /// [`StorePathError::BadName`].
    pub fn text_path(
        &self,
        name: &str,
        hash: &Hash,
        references: &[StorePath],
    ) -> Result<StorePath, StorePathError> {
        self.made(self.typed("text", references, false), hash, name)
    }

    /// The path of an output with fixed contents.
    ///
    /// # Errors
    /// [`StorePathError::BadName`].
    pub fn fixed_output_path(
        &self,
        method: ContentMethod,
        hash: &Hash,
        references: &References,
        name: &str,
    ) -> Result<StorePath, StorePathError> {
        match method {
            ContentMethod::Text => self.text_path(name, hash, &references.others),
            ContentMethod::Recursive if hash.algorithm() == Algorithm::Sha256 => {
                self.made(self.typed("source", &references.others, references.to_self), hash, name)
            }
            _ => {
                let mut text = String::with_capacity(160);
                for word in ["fixed:out:", method.prefix(), hash.algorithm().name(), ":"] {
                    text.push_str(word);
                }
                hash.push_base16(&mut text);
                text.push(':');
                self.make("output:out", &Hash::sha256(text.as_bytes()), name)
            }
        }
    }

    /// The path of an output whose address comes from the derivation's hash.
    ///
    /// # Errors
    /// [`StorePathError::BadName`].
    pub fn output_path(
        &self,
        output: &str,
        modulo: &Hash,
        drv_name: &str,
    ) -> Result<StorePath, StorePathError> {
        self.make(&format!("output:{output}"), modulo, &output_path_name(drv_name, output))
    }
}

/// The name of an output's path: the derivation's own for `out`, else with the output's behind it.
pub fn output_path_name(drv_name: &str, output: &str) -> String {
    if output == "out" { drv_name.to_owned() } else { format!("{drv_name}-{output}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_file_path_agrees_with_nix() {
        // nix-instantiate --eval -E 'builtins.toFile "foo" "bar"'
        let path = StoreDir::default().text_path("foo", &Hash::sha256(b"bar"), &[]).unwrap();
        assert_eq!(path.base_name(), "vxjiwkjkn7x4079qvh1jkl5pn05j2aw0-foo");
    }

    #[test]
    fn refuses_bad_names() {
        for name in ["", ".", "..", ".-x", "a/b", "a~b", "a:b", &"x".repeat(212)] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(check_name(".gitignore").is_ok());
    }
}
