//! Where a store lies, and how carefully it is written.

use nival_store_model::StoreDir;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where a store lies, and how it is kept.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The directory as programs inside see it; part of every path's hash.
    pub logical: StoreDir,
    /// The folder that holds the store paths.
    pub physical: PathBuf,
    /// The folder of the database, roots, profiles and locks: `.../var/nix`.
    pub state: PathBuf,
    /// The folder of build logs: `.../var/log/nix`.
    pub log: PathBuf,
    /// How it is kept.
    pub settings: StoreSettings,
}

/// How a store is kept; the names and defaults are those of nix.conf, but for `fsync_store_paths`, which is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// Whether the database waits for the disk at its checkpoints.
    pub fsync_metadata: bool,
    /// Whether the contents of a path are on the disk before it is registered.
    pub fsync_store_paths: bool,
    /// Whether everything that was written is brought to the disk before paths are registered.
    pub sync_before_registering: bool,
    /// Whether the database has a write-ahead log.
    pub use_sqlite_wal: bool,
    /// Whether equal files of new paths become one.
    pub auto_optimise_store: bool,
    /// Whether the collector keeps the outputs of live derivations.
    pub keep_outputs: bool,
    /// Whether the collector keeps the derivations of live paths.
    pub keep_derivations: bool,
    /// Bytes on the disk that are given back before a collection, so that it has room to begin with.
    pub gc_reserved_space: u64,
    /// While something is built and less than this is free on the disk, garbage is collected; `None` for never.
    pub min_free: Option<u64>,
    /// A collection while something is built stops when so much is free.
    pub max_free: u64,
    /// Seconds between two looks at the free space.
    pub min_free_check_interval: u64,
    /// Whether nothing may be written.
    pub read_only: bool,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            fsync_metadata: true,
            fsync_store_paths: true,
            sync_before_registering: false,
            use_sqlite_wal: true,
            auto_optimise_store: false,
            keep_outputs: false,
            keep_derivations: true,
            gc_reserved_space: 8 * 1024 * 1024,
            min_free: None,
            max_free: u64::MAX,
            min_free_check_interval: 5,
            read_only: false,
        }
    }
}

impl StoreSettings {
    /// Takes a setting by its name in nix.conf; whether there is one of that name with such a value.
    pub fn set(&mut self, name: &str, value: &str) -> bool {
        let place = match name {
            "fsync-metadata" => &mut self.fsync_metadata,
            "fsync-store-paths" => &mut self.fsync_store_paths,
            "sync-before-registering" => &mut self.sync_before_registering,
            "use-sqlite-wal" => &mut self.use_sqlite_wal,
            "auto-optimise-store" => &mut self.auto_optimise_store,
            "keep-outputs" | "gc-keep-outputs" => &mut self.keep_outputs,
            "keep-derivations" | "gc-keep-derivations" => &mut self.keep_derivations,
            "read-only" => &mut self.read_only,
            "gc-reserved-space" | "min-free" | "max-free" | "min-free-check-interval" => {
                return self.set_number(name, value);
            }
            _ => return false,
        };
        match value {
            "true" | "yes" | "1" => *place = true,
            "false" | "no" | "0" => *place = false,
            _ => return false,
        }
        true
    }
}

impl StoreSettings {
    fn set_number(&mut self, name: &str, value: &str) -> bool {
        let units = [("K", 10), ("M", 20), ("G", 30), ("T", 40)];
        let found = units.iter().find_map(|(unit, shift)| Some((value.strip_suffix(unit)?, *shift)));
        let (digits, shift) = found.unwrap_or((value, 0));
        let Some(number) = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift))
        else {
            return false;
        };
        match name {
            "gc-reserved-space" => self.gc_reserved_space = number,
            "min-free" => self.min_free = Some(number).filter(|number| *number > 0),
            "max-free" => self.max_free = number,
            _ => self.min_free_check_interval = number,
        }
        true
    }
}

impl StoreConfig {
    /// The store that lies below a folder: `ROOT/nix/store`, which is `/nix/store` by name.
    pub fn below(root: &Path) -> Self {
        Self {
            logical: StoreDir::default(),
            physical: root.join("nix/store"),
            state: root.join("nix/var/nix"),
            log: root.join("nix/var/log/nix"),
            settings: StoreSettings::default(),
        }
    }

    /// The store that Nix's environment variables name (`NIX_STORE_DIR`, `NIX_STATE_DIR`, `NIX_LOG_DIR`, and
    /// `NIX_REMOTE` where it is a folder or `local?root=FOLDER`); `None` where they name none that lies on this disk.
    pub fn from_environment(variables: &BTreeMap<String, String>) -> Option<Self> {
        let named = |name: &str| variables.get(name).filter(|value| !value.is_empty());
        let reference = named("NIX_REMOTE").map_or("", String::as_str);
        let directory = named("NIX_STORE_DIR").or_else(|| named("NIX_STORE"));
        if reference.is_empty() && directory.is_none() && named("NIX_STATE_DIR").is_none() {
            return None;
        }
        let logical =
            directory.map_or_else(StoreDir::default, |path| StoreDir::new(path.trim_end_matches('/')));
        let folder = |name: &str, usual: &str| named(name).map_or_else(|| usual.into(), PathBuf::from);
        let usual = Self {
            physical: logical.as_str().into(),
            logical,
            state: folder("NIX_STATE_DIR", "/nix/var/nix"),
            log: folder("NIX_LOG_DIR", "/nix/var/log/nix"),
            settings: StoreSettings::default(),
        };
        usual.referred(reference)
    }

    /// The store that a reference names, seen from this one: empty, `local`, `auto`, a folder, or
    /// `local?root=FOLDER&store=..&state=..&log=..&real=..`; `None` for stores of other kinds.
    #[must_use]
    pub fn referred(mut self, reference: &str) -> Option<Self> {
        let in_address = reference.strip_prefix("local://").filter(|rest| rest.starts_with('/'));
        if let Some(folder) = in_address.or(Some(reference)).filter(|r| r.starts_with('/')) {
            let (folder, parameters) = folder.split_once('?').unwrap_or((folder, ""));
            // A plain path is what it is; in an address `%2B` is a plus sign.
            let folder = if in_address.is_some() { decoded(folder) } else { folder.to_owned() };
            return self.rooted(Path::new(&folder)).with_parameters(parameters);
        }
        if reference.starts_with("./") || reference.starts_with("../") {
            let folder = std::path::absolute(reference).ok()?;
            return Some(self.rooted(&folder));
        }
        let (kind, parameters) = reference.split_once('?').unwrap_or((reference, ""));
        match kind.trim_end_matches("://") {
            "" | "local" | "auto" => {}
            _ => return None,
        }
        if let Some(root) = parameter(parameters, "root") {
            self = self.rooted(Path::new(&root));
        }
        self.with_parameters(parameters)
    }

    fn rooted(self, root: &Path) -> Self {
        Self { logical: self.logical, settings: self.settings, ..Self::below(root) }
    }

    fn with_parameters(mut self, parameters: &str) -> Option<Self> {
        if let Some(store) = parameter(parameters, "store") {
            if parameter(parameters, "root").is_none() && self.physical == Path::new(self.logical.as_str()) {
                self.physical = PathBuf::from(&store);
            }
            self.logical = StoreDir::new(store);
        }
        for (name, place) in
            [("state", &mut self.state), ("log", &mut self.log), ("real", &mut self.physical)]
        {
            if let Some(path) = parameter(parameters, name) {
                *place = PathBuf::from(path);
            }
        }
        for (name, value) in pairs(parameters) {
            if !["root", "store", "state", "log", "real"].contains(&name.as_str())
                && !["require-sigs", "trusted", "priority", "want-mass-query", "path-info-cache-size"]
                    .contains(&name.as_str())
                && !self.settings.set(&name, &value)
            {
                return None;
            }
        }
        Some(self)
    }

    /// The folder that makes a store's paths appear at their logical place: what lies above `nix/store`, where the
    /// physical folder ends in the logical one.
    pub fn root(&self) -> Option<PathBuf> {
        let physical = self.physical.to_str()?;
        physical
            .strip_suffix(self.logical.as_str())
            .map(|root| PathBuf::from(if root.is_empty() { "/" } else { root }))
    }
}

pub(crate) fn pairs(parameters: &str) -> impl Iterator<Item = (String, String)> + '_ {
    let halves = |pair: &str| pair.split_once('=').map(|(name, value)| (name.to_owned(), decoded(value)));
    parameters.split('&').filter_map(halves)
}

fn parameter(parameters: &str, name: &str) -> Option<String> {
    pairs(parameters).find(|(found, _)| found == name).map(|(_, value)| value)
}

/// A parameter's text with `%2F` and the like replaced.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Option<StoreConfig> {
        let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        StoreConfig::from_environment(&variables)
    }

    #[test]
    fn sizes_have_units() {
        let mut settings = StoreSettings::default();
        assert!(settings.set("min-free", "1K") && settings.set("max-free", "2G"));
        assert_eq!((settings.min_free, settings.max_free), (Some(1024), 2 << 30));
        assert!(!settings.set("min-free", "much") && !settings.set("keep-outputs", "2"));
    }

    #[test]
    fn environment_names_stores() {
        assert!(from(&[]).is_none());
        let test = from(&[("NIX_STORE_DIR", "/t/store"), ("NIX_STATE_DIR", "/t/var/nix")]).unwrap();
        assert_eq!(test.logical.as_str(), "/t/store");
        assert_eq!((test.physical.to_str(), test.state.to_str()), (Some("/t/store"), Some("/t/var/nix")));
        for remote in ["/x", "local?root=/x", "local?root=%2Fx", "local:///x"] {
            let other = from(&[("NIX_REMOTE", remote)]).unwrap();
            assert_eq!(other.physical, Path::new("/x/nix/store"), "{remote}");
            assert_eq!(other.root(), Some("/x".into()));
        }
        assert!(from(&[("NIX_REMOTE", "daemon")]).is_none());
        assert!(from(&[("NIX_REMOTE", "ssh://host")]).is_none());
        let read_only = from(&[("NIX_REMOTE", "local?root=/x&read-only=true")]).unwrap();
        assert!(read_only.settings.read_only);
    }
}
