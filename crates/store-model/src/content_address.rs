//! Content addresses: the claim that a path's name follows from what it holds.
//!
//! Written `text:sha256:DIGEST`, `fixed:sha256:DIGEST` (the bytes of one file), `fixed:r:sha256:DIGEST` (its NAR) or
//! `fixed:git:sha1:DIGEST`, as databases and narinfo files do; see the chapter "Content-addressing store objects" of
//! the Nix manual.

use crate::hash::{Algorithm, Hash, HashError};
use crate::store_path::{ContentMethod, References, StoreDir, StorePath, StorePathError};
use std::fmt;
use std::str::FromStr;

/// What was hashed to name a path, and the hash.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentAddress {
    /// What was hashed.
    pub method: ContentMethod,
    /// The hash.
    pub hash: Hash,
}

/// Why a text is no content address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentAddressError {
    /// It begins with neither `text:` nor `fixed:`, or names no algorithm.
    Form(String),
    /// What stands behind is no hash.
    Hash(HashError),
}

impl fmt::Display for ContentAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(text) => write!(f, "no content address: `{text}`"),
            Self::Hash(error) => write!(f, "content address with a bad hash: {error}"),
        }
    }
}

impl std::error::Error for ContentAddressError {}

impl ContentAddress {
    /// The address of a NAR by SHA-256, as sources have it.
    pub const fn recursive(hash: Hash) -> Self {
        Self { method: ContentMethod::Recursive, hash }
    }

    /// The address of a text, as derivations have it.
    pub const fn text(hash: Hash) -> Self {
        Self { method: ContentMethod::Text, hash }
    }

    /// The path of contents with this address, a name and references.
    ///
    /// # Errors
    /// [`StorePathError::BadName`].
    pub fn path(
        &self,
        dir: &StoreDir,
        name: &str,
        references: &References,
    ) -> Result<StorePath, StorePathError> {
        dir.fixed_output_path(self.method, &self.hash, references, name)
    }

    /// Whether a path with these references has the name that its address gives it.
    pub fn names(&self, dir: &StoreDir, path: &StorePath, references: &[StorePath]) -> bool {
        let mut split = References::default();
        for reference in references {
            if reference == path { split.to_self = true } else { split.others.push(reference.clone()) }
        }
        split.others.sort();
        split.others.dedup();
        let may_refer = match self.method {
            ContentMethod::Text => !split.to_self,
            ContentMethod::Recursive => {
                self.hash.algorithm() == Algorithm::Sha256 || split.others.is_empty() && !split.to_self
            }
            ContentMethod::Flat | ContentMethod::Git => split.others.is_empty() && !split.to_self,
        };
        may_refer && self.path(dir, path.name(), &split).is_ok_and(|computed| computed == *path)
    }

    /// The method and the algorithm without the digest: `text:sha256`, `fixed:r:sha256`.
    pub fn method_and_algorithm(&self) -> String {
        format!("{}{}", written(self.method), self.hash.algorithm().name())
    }
}

const fn written(method: ContentMethod) -> &'static str {
    match method {
        ContentMethod::Text => "text:",
        ContentMethod::Flat => "fixed:",
        ContentMethod::Recursive => "fixed:r:",
        ContentMethod::Git => "fixed:git:",
    }
}

impl fmt::Display for ContentAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", written(self.method), self.hash.prefixed_base32())
    }
}

impl FromStr for ContentAddress {
    type Err = ContentAddressError;

    fn from_str(text: &str) -> Result<Self, ContentAddressError> {
        let methods =
            [ContentMethod::Recursive, ContentMethod::Git, ContentMethod::Flat, ContentMethod::Text];
        let (method, rest) = methods
            .into_iter()
            .find_map(|method| Some((method, text.strip_prefix(written(method))?)))
            .ok_or_else(|| ContentAddressError::Form(text.to_owned()))?;
        if !rest.contains(':') {
            return Err(ContentAddressError::Form(text.to_owned()));
        }
        let hash = Hash::parse(rest, None).map_err(ContentAddressError::Hash)?;
        Ok(Self { method, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_round_trip() {
        let hash = Hash::sha256(b"bar");
        for text in ["text:", "fixed:", "fixed:r:", "fixed:git:"] {
            let text = format!("{text}{}", hash.prefixed_base32());
            assert_eq!(text.parse::<ContentAddress>().map(|address| address.to_string()), Ok(text));
        }
        for text in ["", "fixed", "fixed:r:", "flat:sha256:x", "text:sha256", "fixed:sha257:00"] {
            assert!(text.parse::<ContentAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn name_follows_from_address() {
        let dir = StoreDir::default();
        // nix-instantiate --eval -E 'builtins.toFile "foo" "bar"'
        let path = StorePath::parse("vxjiwkjkn7x4079qvh1jkl5pn05j2aw0-foo").unwrap();
        let address = ContentAddress::text(Hash::sha256(b"bar"));
        assert!(address.names(&dir, &path, &[]));
        assert!(!address.names(&dir, &path, std::slice::from_ref(&path)));
        assert!(!ContentAddress::text(Hash::sha256(b"baz")).names(&dir, &path, &[]));
    }
}
