//! What is known of one valid path.

use nival_store_model::{ContentAddress, Hash, StorePath};
use std::collections::BTreeSet;

/// What the database says of one valid path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathInfo {
    /// The path.
    pub path: StorePath,
    /// SHA-256 of its NAR.
    pub nar_hash: Hash,
    /// Bytes of its NAR.
    pub nar_size: u64,
    /// What it refers to, sorted.
    pub references: Vec<StorePath>,
    /// The derivation that made it, where one did.
    pub deriver: Option<StorePath>,
    /// The claim that its name comes from its contents.
    pub content_address: Option<ContentAddress>,
    /// Whether it was built here.
    pub ultimate: bool,
    /// Signatures as `KEY:BASE64`.
    pub signatures: BTreeSet<String>,
    /// When it was registered, in seconds since 1970; 0 in what is to be registered now.
    pub registered: i64,
}

impl PathInfo {
    /// A path with nothing known but its NAR.
    pub const fn new(path: StorePath, nar_hash: Hash, nar_size: u64) -> Self {
        Self {
            path,
            nar_hash,
            nar_size,
            references: Vec::new(),
            deriver: None,
            content_address: None,
            ultimate: false,
            signatures: BTreeSet::new(),
            registered: 0,
        }
    }
}
