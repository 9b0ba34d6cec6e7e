//! The `Release` text of a suite: what it is, how long it is valid, and the hashes of its indices.

use crate::{Field, Fields};
use std::collections::BTreeMap;

/// A file that a release lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFile {
    /// SHA-256 of its contents.
    pub sha256: [u8; 32],
    /// Size in bytes.
    pub size: u64,
}

/// What a suite's `Release` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// Who made it, such as `Debian`.
    pub origin: String,
    /// What it is called there, such as `Debian-Security`.
    pub label: String,
    /// The suite, such as `stable-security`.
    pub suite: String,
    /// The code name, such as `trixie-security`.
    pub codename: String,
    /// The version of the release, such as `13.1`; empty for none.
    pub version: String,
    /// When it was made, in seconds since 1970.
    pub date: Option<i64>,
    /// Until when it is valid, in seconds since 1970.
    pub valid_until: Option<i64>,
    /// Where past packages are found, with `@SNAPSHOTID@` for the time; none where it names no such place.
    pub snapshots: Option<String>,
    /// True where indices are also found under their hash.
    pub by_hash: bool,
    /// True where its packages are taken only when asked for.
    pub not_automatic: bool,
    /// True where packages that were taken from it are kept up to date from it.
    pub but_automatic_upgrades: bool,
    /// The architectures that it has indices of.
    pub architectures: Vec<String>,
    /// The components that it has, such as `main`.
    pub components: Vec<String>,
    /// The files with their SHA-256, by path within the suite.
    pub files: BTreeMap<String, ListedFile>,
}

/// Why a text is no release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseError {
    /// A date that cannot be read: the field and its value.
    Date(&'static str, String),
    /// A line of the hashes that cannot be read.
    Hash(String),
    /// There is no list of SHA-256 hashes.
    NoHashes,
}

impl std::fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ReleaseError::Date(field, value) => write!(f, "the field `{field}` is no date: `{value}`"),
            ReleaseError::Hash(line) => write!(f, "the line of hashes cannot be read: `{line}`"),
            ReleaseError::NoHashes => f.write_str("it lists no SHA-256 hashes"),
        }
    }
}

impl std::error::Error for ReleaseError {}

impl Release {
    /// Reads the text of a release, without any signature around it.
    ///
    /// # Errors
    /// A date or hash that cannot be read, or no hashes at all.
    pub fn parse(text: &str) -> Result<Self, ReleaseError> {
        let mut release = Self::default();
        for field in Fields::new(text) {
            release.take(field)?;
        }
        if release.files.is_empty() { Err(ReleaseError::NoHashes) } else { Ok(release) }
    }

    fn take(&mut self, field: Field<'_>) -> Result<(), ReleaseError> {
        let Field { name, value } = field;
        let words = || value.split_whitespace().map(str::to_owned).collect();
        match name.to_ascii_lowercase().as_str() {
            "origin" => self.origin = value.to_owned(),
            "label" => self.label = value.to_owned(),
            "suite" => self.suite = value.to_owned(),
            "codename" => self.codename = value.to_owned(),
            "version" => self.version = value.to_owned(),
            "date" => self.date = Some(date("Date", value)?),
            "valid-until" => self.valid_until = Some(date("Valid-Until", value)?),
            "snapshots" if value.contains("://") => self.snapshots = Some(value.to_owned()),
            "acquire-by-hash" => self.by_hash = value == "yes",
            "notautomatic" => self.not_automatic = value == "yes",
            "butautomaticupgrades" => self.but_automatic_upgrades = value == "yes",
            "architectures" => self.architectures = words(),
            "components" => self.components = words(),
            "sha256" => {
                for line in value.lines().map(str::trim).filter(|line| !line.is_empty()) {
                    let (path, file) = listed(line).ok_or_else(|| ReleaseError::Hash(line.to_owned()))?;
                    self.files.insert(path, file);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn listed(line: &str) -> Option<(String, ListedFile)> {
    let mut words = line.split_whitespace();
    let sha256 = hash(words.next()?)?;
    let size = words.next()?.parse().ok()?;
    let path = words.next()?.to_owned();
    words.next().is_none().then_some((path, ListedFile { sha256, size }))
}

fn hash(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

fn date(field: &'static str, value: &str) -> Result<i64, ReleaseError> {
    parse_date(value).ok_or_else(|| ReleaseError::Date(field, value.to_owned()))
}

/// Reads a date such as `Sat, 06 Sep 2025 10:24:46 UTC` as seconds since 1970.
///
/// The form is that of RFC 5322, also with `UTC` and `Z` as zones and with hours of one digit, as apt takes them.
pub fn parse_date(text: &str) -> Option<i64> {
    let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let clock = words.iter_mut().find(|word| word.contains(':'))?;
    if clock.find(':') == Some(1) {
        clock.insert(0, '0');
    }
    let zone = words.last_mut()?;
    if matches!(zone.as_str(), "UTC" | "GMT" | "Z") {
        "+0000".clone_into(zone);
    } else if !zone.starts_with(['+', '-']) {
        return None;
    }
    let time = jiff::fmt::rfc2822::parse(&words.join(" ")).ok()?.timestamp().as_second();
    (time >= 0).then_some(time)
}

/// A time in seconds since 1970 as archives of past packages name it: `20250906T102446Z`.
pub fn snapshot_name(seconds: i64) -> Option<String> {
    let time = jiff::Timestamp::from_second(seconds).ok()?;
    Some(time.strftime("%Y%m%dT%H%M%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dates() {
        assert_eq!(parse_date("Thu, 01 Jan 1970 00:00:00 UTC"), Some(0));
        assert_eq!(parse_date("Sat, 06 Sep 2025 10:24:46 UTC"), Some(1_757_154_286));
        assert_eq!(parse_date("Sat, 06 Sep 2025 12:24:46 +0200"), Some(1_757_154_286));
        assert_eq!(parse_date("29 Feb 2024 00:00 GMT"), Some(1_709_164_800));
        assert_eq!(parse_date("Sat, 6 Sep 2025  1:24:46 UTC"), Some(1_757_121_886));
        assert_eq!(snapshot_name(1_757_154_286).as_deref(), Some("20250906T102446Z"));
        for bad in [
            "",
            "yesterday",
            "1 Foo 2020 00:00:00 UTC",
            "32 Jan 2020 00:00:00 UTC",
            "1 Jan 2020 00:00:00 CEST",
        ] {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn reads_the_list_of_hashes() {
        let text = format!(
            "Suite: stable\nAcquire-By-Hash: yes\nSHA256:\n {} 12 main/a\n {} 3 b\n",
            "0".repeat(64),
            "ff".repeat(32)
        );
        let release = Release::parse(&text).expect("it is one");
        assert!(release.by_hash);
        assert_eq!(release.files["b"], ListedFile { sha256: [255; 32], size: 3 });
        assert_eq!(Release::parse("Suite: x\n"), Err(ReleaseError::NoHashes));
        assert!(matches!(Release::parse("SHA256:\n zz 1 a\n"), Err(ReleaseError::Hash(_))));
    }
}
