//! Adding to a cache: the archive first, then what is said of it, so that whoever sees the second finds the first.

use super::BinaryCache;
use super::compress::Compressor;
use super::listing::listing;
use crate::PathInfo;
use crate::archive::Counting;
use crate::error::{Doing as _, Error};
use crate::remote_error::RemoteError;
use nival_store_model::nar::Decoder;
use nival_store_model::{Hash, NarInfo, Signature, StorePath};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::io::{self, BufReader, Read, Write};

/// Writes to one and hashes and counts what passes.
struct Measured<W> {
    to: W,
    counting: Counting,
}

impl<W: Write> Write for Measured<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.counting.write_all(&bytes[..count])?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Reads from one and writes to another what passes.
struct Tee<R, W> {
    from: R,
    to: W,
}

impl<R: Read, W: Write> Read for Tee<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.to.write_all(&buffer[..count])?;
        Ok(count)
    }
}

impl BinaryCache {
    /// Adds a path with its archive; one that is there already stays as it is.
    ///
    /// # Errors
    /// [`RemoteError::Lie`] where the archive is another one than was said, [`RemoteError::Cache`] where a reference
    /// is missing, [`Error::Io`].
    pub fn put(&self, info: &PathInfo, nar: impl Read) -> Result<(), Error> {
        if self.query(&info.path)?.is_some() {
            return Ok(());
        }
        for reference in info.references.iter().filter(|reference| **reference != info.path) {
            if self.query(reference)?.is_none() {
                let text = format!("cannot add `{}`: its reference `{reference}` is not there", info.path);
                return Err(RemoteError::cache(self.url(), text).into());
            }
        }
        let doing = || format!("add `{}` to `{}`", info.path, self.url());
        let options = self.options();
        let packed = Measured { to: self.place.create()?, counting: Counting::default() };
        let compressor =
            Compressor::new(options.compression, options.compression_level, packed).doing(doing)?;
        let measured = Measured { to: compressor, counting: Counting::default() };
        let mut tee = Tee { from: BufReader::with_capacity(1 << 16, nar), to: measured };
        let root = if options.write_nar_listing || options.index_debug_info {
            Some(listing(&mut tee)?)
        } else {
            Decoder::new(&mut tee).finish()?;
            None
        };
        let (nar_hash, nar_size) = tee.to.counting.finish();
        self.check(info, &nar_hash, nar_size)?;
        let packed = tee.to.to.finish().doing(doing)?;
        let (file_hash, file_size) = packed.counting.finish();
        let entry = self.entry(info, &file_hash, file_size);
        if let Some(root) = &root {
            self.write_listings(&entry, root)?;
        }
        packed.to.publish(&entry.url)?;
        self.write_info(&entry)
    }

    fn check(&self, info: &PathInfo, hash: &Hash, size: u64) -> Result<(), Error> {
        if *hash == info.nar_hash && size == info.nar_size {
            return Ok(());
        }
        Err(RemoteError::Lie {
            url: self.url().to_owned(),
            path: info.path.to_string(),
            what: "hash",
            wanted: info.nar_hash.sri(),
            got: hash.sri(),
        }
        .into())
    }

    fn entry(&self, info: &PathInfo, file_hash: &Hash, file_size: u64) -> NarInfo {
        let compression = self.options().compression;
        let mut references = info.references.clone();
        references.sort();
        let mut entry = NarInfo {
            path: info.path.clone(),
            url: format!("nar/{}.nar{}", file_hash.base32(), compression.suffix()),
            compression,
            file_hash: Some(file_hash.clone()),
            file_size,
            nar_hash: info.nar_hash.clone(),
            nar_size: info.nar_size,
            references,
            deriver: info.deriver.clone(),
            signatures: info.signatures.iter().filter_map(|text| text.parse().ok()).collect(),
            content_address: info.content_address.clone(),
        };
        let text = entry.fingerprint(self.dir());
        entry.signatures.extend(self.options().secret_keys.iter().map(|key| key.sign(text.as_bytes())));
        entry
    }

    fn write_info(&self, entry: &NarInfo) -> Result<(), Error> {
        let hash_part = entry.path.hash_part().to_owned();
        self.place.write(&format!("{hash_part}.narinfo"), entry.to_text(self.dir()).as_bytes())?;
        if let Some(remembered) = &self.remembered {
            remembered.remember(self.url(), &hash_part, Some(entry));
        }
        self.known().insert(hash_part, Some(entry.clone()));
        Ok(())
    }

    fn write_listings(&self, entry: &NarInfo, root: &Json) -> Result<(), Error> {
        if self.options().write_nar_listing {
            let text = json!({ "root": root, "version": 1 }).to_string();
            self.place.write(&format!("{}.ls", entry.path.hash_part()), text.as_bytes())?;
        }
        if self.options().index_debug_info {
            for (id, member) in debug_files(root) {
                let name = format!("debuginfo/{id}");
                if !self.place.has(&name)? {
                    let text =
                        json!({ "archive": format!("../{}", entry.url), "member": member }).to_string();
                    self.place.write(&name, text.as_bytes())?;
                }
            }
        }
        Ok(())
    }

    /// Adds signatures to what is said of a path.
    ///
    /// # Errors
    /// [`RemoteError::Missing`], [`Error::Io`].
    pub fn add_signatures(&self, path: &StorePath, signatures: &BTreeSet<String>) -> Result<(), Error> {
        let missing = || RemoteError::Missing {
            path: self.dir().print(path),
            causes: vec![format!("{} does not have it", self.url())],
        };
        let mut entry = self.query(path)?.ok_or_else(missing)?;
        entry.signatures.extend(signatures.iter().filter_map(|text| text.parse::<Signature>().ok()));
        self.write_info(&entry)
    }

    /// Keeps the log of a derivation's build.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn put_log(&self, derivation: &StorePath, text: &[u8]) -> Result<(), Error> {
        self.place.write(&format!("log/{}", derivation.base_name()), text)
    }

    /// Keeps the realisation of a derivation's output, as JSON.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn put_realisation(&self, id: &str, text: &[u8]) -> Result<(), Error> {
        self.place.write(&format!("realisations/{id}.doi"), text)
    }
}

/// Build ids and the files of debug information that have them.
fn debug_files(root: &Json) -> Vec<(String, String)> {
    let folder = ["lib", "debug", ".build-id"].iter().try_fold(root, |node, name| node["entries"].get(name));
    let Some(folders) = folder.and_then(|folder| folder["entries"].as_object()) else { return Vec::new() };
    let is_hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
    };
    let mut found = Vec::new();
    for (first, files) in folders.iter().filter(|(name, _)| is_hex(name, 2)) {
        for (name, file) in files["entries"].as_object().into_iter().flatten() {
            let rest = name.strip_suffix(".debug").filter(|rest| is_hex(rest, 38));
            if let Some(rest) = rest.filter(|_| file["type"] == "regular") {
                // The key has the whole name, as C++ Nix writes it.
                found.push((format!("{first}{rest}.debug"), format!("lib/debug/.build-id/{first}/{name}")));
            }
        }
    }
    found
}
