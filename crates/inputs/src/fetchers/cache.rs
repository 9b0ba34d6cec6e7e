//! What was learnt of addresses and revisions, kept in the user's cache folder.
//!
//! Each fact is one small JSON file, named by the hash of its key. Facts about
//! revisions and hashes hold for ever; those about addresses grow old.

use super::attributes::Attributes;
use nival_store_model::Hash;
use nival_sys::fs;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The cache.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    ttl: u64,
}

/// A fact, and whether it has grown old.
pub(crate) struct Known {
    pub(crate) value: Attributes,
    pub(crate) expired: bool,
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Cache {
    pub(crate) fn new(folder: &Path, ttl: u64) -> Self {
        Self { folder: folder.join("facts"), ttl }
    }

    fn file(&self, kind: &str, key: &[&str]) -> PathBuf {
        let key = json!([kind, key]).to_string();
        self.folder.join(format!("{kind}-{}.json", Hash::sha256(key.as_bytes()).base32()))
    }

    /// Looks a fact up; what cannot be read is not known.
    pub(crate) fn get(&self, kind: &str, key: &[&str]) -> Option<Known> {
        let text = std::fs::read(self.file(kind, key)).ok()?;
        let json: Value = serde_json::from_slice(&text).ok()?;
        let written = json.get("written")?.as_u64()?;
        let value = Attributes::from_json(json.get("value")?).ok()?;
        Some(Known { value, expired: written.saturating_add(self.ttl) <= now() })
    }

    /// Keeps a fact. A cache that cannot be written makes things slow, not wrong.
    pub(crate) fn put(&self, kind: &str, key: &[&str], value: &Attributes) {
        let json = json!({ "key": key, "value": value.json(), "written": now() });
        let file = self.file(kind, key);
        if fs::create_dir_all(&self.folder).is_ok() {
            let _ = fs::write_atomic(&file, json.to_string().as_bytes(), 0o644);
        }
    }
}
