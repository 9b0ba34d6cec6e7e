//! `narinfo` files: what a binary cache says of one path.

use crate::content_address::ContentAddress;
use crate::hash::{Algorithm, Hash};
use crate::signature::{Signature, fingerprint};
use crate::store_path::{StoreDir, StorePath};
use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

/// How an archive is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// The usual one of caches.
    Xz,
    /// bzip2; what a narinfo without the field means.
    Bzip2,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
    /// Brotli.
    Brotli,
}

impl Compression {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::None, Self::Xz, Self::Bzip2, Self::Gzip, Self::Zstd, Self::Brotli];

    /// The name as Nix spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Brotli => "br",
        }
    }

    /// What stands behind `.nar` in the names of files that a cache keeps.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::None | Self::Gzip => "",
            Self::Xz => ".xz",
            Self::Bzip2 => ".bz2",
            Self::Zstd => ".zst",
            Self::Brotli => ".br",
        }
    }

    /// The compression of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|compression| compression.name() == name)
    }
}

/// What a binary cache says of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NarInfo {
    /// The path.
    pub path: StorePath,
    /// Where its archive is, seen from the cache.
    pub url: String,
    /// How the archive is compressed.
    pub compression: Compression,
    /// The hash of the compressed archive.
    pub file_hash: Option<Hash>,
    /// The bytes of the compressed archive; 0 where it is not known.
    pub file_size: u64,
    /// The hash of the archive.
    pub nar_hash: Hash,
    /// The bytes of the archive.
    pub nar_size: u64,
    /// What the path refers to, sorted.
    pub references: Vec<StorePath>,
    /// The derivation that made it.
    pub deriver: Option<StorePath>,
    /// Who signed it.
    pub signatures: BTreeSet<Signature>,
    /// The claim that its name comes from its contents.
    pub content_address: Option<ContentAddress>,
}

/// Why a text is no narinfo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NarInfoError {
    /// The line, from 1; 0 where the whole is meant.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for NarInfoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        if self.line > 0 { write!(f, " at line {}", self.line) } else { Ok(()) }
    }
}

impl std::error::Error for NarInfoError {}

/// The fields as they are read.
#[derive(Default)]
struct Fields {
    path: Option<StorePath>,
    url: String,
    compression: Option<Compression>,
    file_hash: Option<Hash>,
    file_size: u64,
    nar_hash: Option<Hash>,
    nar_size: u64,
    references: Vec<StorePath>,
    deriver: Option<StorePath>,
    signatures: BTreeSet<Signature>,
    content_address: Option<ContentAddress>,
}

impl NarInfo {
    /// Reads the text of a narinfo file. Unknown fields are passed over.
    ///
    /// # Errors
    /// What is wrong with it, and in which line.
    pub fn parse(dir: &StoreDir, text: &str) -> Result<Self, NarInfoError> {
        let mut fields = Fields::default();
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let wrong = |reason: String| NarInfoError { line: number + 1, reason };
            let (name, value) = line.split_once(':').ok_or_else(|| wrong("expecting `:`".to_owned()))?;
            let value = value.strip_suffix('\n').ok_or_else(|| wrong("expecting a line break".to_owned()))?;
            fields.take(dir, name, value.strip_prefix(' ').unwrap_or(value)).map_err(wrong)?;
        }
        fields.finish()
    }

    /// The text of the file, byte for byte as Nix writes it.
    pub fn to_text(&self, dir: &StoreDir) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &dyn fmt::Display| {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "{name}: {value}");
        };
        line("StorePath", &dir.print(&self.path));
        line("URL", &self.url);
        line("Compression", &self.compression.name());
        if let Some(hash) = &self.file_hash {
            line("FileHash", &hash.prefixed_base32());
        }
        line("FileSize", &self.file_size);
        line("NarHash", &self.nar_hash.prefixed_base32());
        line("NarSize", &self.nar_size);
        let references: Vec<_> = self.references.iter().map(StorePath::base_name).collect();
        line("References", &references.join(" "));
        if let Some(deriver) = &self.deriver {
            line("Deriver", deriver);
        }
        for signature in &self.signatures {
            line("Sig", signature);
        }
        if let Some(address) = &self.content_address {
            line("CA", address);
        }
        text
    }

    /// The text that is signed.
    pub fn fingerprint(&self, dir: &StoreDir) -> String {
        fingerprint(dir, &self.path, &self.nar_hash, self.nar_size, &self.references)
    }
}

impl Fields {
    fn take(&mut self, dir: &StoreDir, name: &str, value: &str) -> Result<(), String> {
        let hash = || Hash::parse(value, None).map_err(|error| error.to_string());
        let number = || value.parse::<u64>().map_err(|_| format!("`{name}` is no number: `{value}`"));
        let path = |text: &str| StorePath::parse(text).map_err(|error| error.to_string());
        match name {
            "StorePath" => self.path = Some(dir.parse(value).map_err(|error| error.to_string())?),
            "URL" => value.clone_into(&mut self.url),
            "Compression" if value.is_empty() => self.compression = None,
            "Compression" => {
                let known = Compression::from_name(value);
                self.compression = Some(known.ok_or_else(|| format!("unknown compression `{value}`"))?);
            }
            "FileHash" => self.file_hash = Some(hash()?),
            "FileSize" => self.file_size = number()?,
            "NarHash" => {
                let hash = hash()?;
                if hash.algorithm() != Algorithm::Sha256 {
                    return Err("the archive's hash is no SHA-256".to_owned());
                }
                self.nar_hash = Some(hash);
            }
            "NarSize" => self.nar_size = number()?,
            "References" if !self.references.is_empty() => return Err("a second `References`".to_owned()),
            "References" => {
                self.references = value.split_ascii_whitespace().map(path).collect::<Result<_, _>>()?;
                self.references.sort();
                self.references.dedup();
            }
            "Deriver" if value == "unknown-deriver" => {}
            "Deriver" => self.deriver = Some(path(value)?),
            "Sig" => {
                self.signatures.insert(value.parse().map_err(|error: crate::KeyError| error.to_string())?);
            }
            "CA" if self.content_address.is_some() => return Err("a second `CA`".to_owned()),
            "CA" if value.is_empty() => {}
            "CA" => {
                let address = value.parse();
                self.content_address =
                    Some(address.map_err(|error: crate::ContentAddressError| error.to_string())?);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<NarInfo, NarInfoError> {
        let missing = |name: &str| NarInfoError { line: 0, reason: format!("`{name}` is missing") };
        if self.url.is_empty() {
            return Err(missing("URL"));
        }
        if self.nar_size == 0 {
            return Err(NarInfoError { line: 0, reason: "`NarSize` is missing or zero".to_owned() });
        }
        Ok(NarInfo {
            path: self.path.ok_or_else(|| missing("StorePath"))?,
            url: self.url,
            compression: self.compression.unwrap_or(Compression::Bzip2),
            file_hash: self.file_hash,
            file_size: self.file_size,
            nar_hash: self.nar_hash.ok_or_else(|| missing("NarHash"))?,
            nar_size: self.nar_size,
            references: self.references,
            deriver: self.deriver,
            signatures: self.signatures,
            content_address: self.content_address,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `nix copy --to file://...?secret-key=...` wrote.
    const GOLDEN: &str = include_str!("golden.narinfo");

    #[test]
    fn file_of_nix_is_read_and_written_again() {
        let dir = StoreDir::default();
        let info = NarInfo::parse(&dir, GOLDEN).unwrap();
        assert_eq!(info.to_text(&dir), GOLDEN);
        assert_eq!(info.compression, Compression::Xz);
        assert_eq!((info.references.len(), info.signatures.len()), (1, 1));
        assert!(info.content_address.is_some());
    }

    #[test]
    fn each_missing_field_is_said() {
        let dir = StoreDir::default();
        for name in ["StorePath", "URL", "NarHash", "NarSize"] {
            let text: String = GOLDEN.split_inclusive('\n').filter(|line| !line.starts_with(name)).collect();
            let error = NarInfo::parse(&dir, &text).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn broken_fields_name_their_line() {
        let dir = StoreDir::default();
        for (from, to) in [
            ("NarHash: sha256:", "NarHash: sha256:!"),
            ("NarSize: ", "NarSize: -"),
            ("StorePath: /nix/store/", "StorePath: /other/"),
            ("Compression: xz", "Compression: squash"),
            ("References: ", "References: ../"),
            ("Sig: ", "Sig: :"),
        ] {
            let error = NarInfo::parse(&dir, &GOLDEN.replace(from, to)).unwrap_err();
            assert!(error.line > 0, "{error}");
        }
        assert!(NarInfo::parse(&dir, GOLDEN.trim_end()).is_err());
    }
}
