//! Where files lie that a lock names by their hash, and by no address.

use std::collections::BTreeMap;
use std::fmt::Debug;

/// What a derivation says of a file that has no address: the kind, and its other attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// `debian` for a file of a Debian archive, `crate` for one of a registry of cargo.
    pub kind: String,
    /// The derivation's attributes.
    pub attributes: BTreeMap<String, String>,
}

impl Named {
    /// An attribute; empty where there is none.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// Knows the mirrors and registries of this machine, at the time of fetching.
pub trait Addresses: Debug + Send + Sync {
    /// Where a file is, in the order in which it is tried.
    ///
    /// # Errors
    /// Words for the log, where nothing is known that could have it.
    fn of(&self, file: &Named) -> Result<Vec<String>, String>;
}

/// Knows none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAddresses;

impl Addresses for NoAddresses {
    fn of(&self, file: &Named) -> Result<Vec<String>, String> {
        Err(format!("nothing is set up here that has files of the kind `{}`", file.kind))
    }
}
