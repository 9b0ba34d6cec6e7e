//! Whether a path from elsewhere may be taken.

use crate::PathInfo;
use nival_store_model::signature::fingerprint;
use nival_store_model::{PublicKey, Signature, StoreDir};

/// Whose signatures count.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Keys that are trusted.
    pub keys: Vec<PublicKey>,
    /// Whether signatures are needed at all.
    pub required: bool,
}

impl Trust {
    /// Takes everything that is whole.
    pub const fn everything() -> Self {
        Self { keys: Vec::new(), required: false }
    }

    /// Takes what one of the keys has signed, and what is named by its contents.
    pub const fn signed_by(keys: Vec<PublicKey>) -> Self {
        Self { keys, required: true }
    }

    /// Whether a path may be taken. That its contents are what is said of it is another question.
    pub fn accepts(&self, dir: &StoreDir, info: &PathInfo) -> bool {
        !self.required || is_named_by_contents(dir, info) || self.count(dir, info) > 0
    }

    /// How many of a path's signatures are right and of trusted keys.
    pub fn count(&self, dir: &StoreDir, info: &PathInfo) -> usize {
        info.signatures.iter().filter(|text| self.verifies(dir, info, text)).count()
    }

    /// Whether a signature is right and of a trusted key.
    pub fn verifies(&self, dir: &StoreDir, info: &PathInfo, signature: &str) -> bool {
        let Ok(signature) = signature.parse::<Signature>() else { return false };
        let text = fingerprint(dir, &info.path, &info.nar_hash, info.nar_size, &info.references);
        self.keys.iter().any(|key| key.verifies(text.as_bytes(), &signature))
    }
}

/// Whether a path claims to be named by its contents, and its name follows from that claim.
pub fn is_named_by_contents(dir: &StoreDir, info: &PathInfo) -> bool {
    let address = info.content_address.as_ref();
    address.is_some_and(|address| address.names(dir, &info.path, &info.references))
}
