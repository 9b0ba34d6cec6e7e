//! Files and archives that one address hands out.

use super::{Fetcher, Found, Staged};
use crate::fetchers::archive;
use crate::fetchers::attributes::{Attribute, Attributes};
use crate::fetchers::cache::Known;
use crate::fetchers::error::Error;
use crate::fetchers::input::Input;
use crate::fetchers::schemes::Scheme;
use crate::fetchers::url::Url;
use nival_store_model::nar::of_file;
use nival_store_model::store_path::References;
use nival_store_model::{ContentAddress, ContentMethod, Hash, StorePath};
use nival_transport::Request;
use std::path::Path;

/// A file that was fetched.
#[derive(Clone, Debug)]
pub struct File {
    /// Where it is.
    pub path: StorePath,
    /// The hash of its bytes.
    pub hash: Hash,
}

/// A tree that an archive made.
struct Unpacked {
    path: StorePath,
    hash: Hash,
    modified: u64,
    immutable: Option<String>,
}

impl Fetcher {
    /// Fetches one file into the store under a name.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn fetch_file(&self, address: &str, name: &str, headers: &[(String, String)]) -> Result<File, Error> {
        let known = self.cache.get("file", &[address]);
        let stored = known.as_ref().and_then(|known| self.stored_file(known, name));
        if let (Some(known), Some(file)) = (&known, &stored)
            && !known.expired
        {
            return Ok(file.clone());
        }
        let staged = Staged(self.staging("file"));
        let etag = known.as_ref().filter(|_| stored.is_some()).and_then(|known| etag(&known.value));
        let request = Request {
            address: address.to_owned(),
            headers: headers.to_vec(),
            etag,
            to: staged.0.clone(),
            ..Request::default()
        };
        let response = match (self.request(&request), &stored) {
            (Ok(response), _) => response,
            (Err(error), Some(file)) => {
                self.warn(format!("{error}; what was fetched earlier is used"));
                return Ok(file.clone());
            }
            (Err(error), None) => return Err(error),
        };
        let file = match stored {
            Some(file) if !response.modified => file,
            _ => {
                let contents = super::read(&staged.0)?;
                self.add_file(&contents, name)?
            }
        };
        let mut value = Attributes::default();
        value.set("hash", file.hash.sri());
        value.set("etag", response.etag.unwrap_or_default());
        self.cache.put("file", &[address], &value);
        Ok(file)
    }

    fn add_file(&self, contents: &[u8], name: &str) -> Result<File, Error> {
        let hash = Hash::sha256(contents);
        let dir = self.store.dir();
        let address = ContentAddress { method: ContentMethod::Flat, hash: hash.clone() };
        let path = address.path(dir, name, &References::default())?;
        self.store.add_file_at(&path, contents, &address)?;
        Ok(File { path, hash })
    }

    fn stored_file(&self, known: &Known, name: &str) -> Option<File> {
        let hash = Hash::parse(known.value.text("hash").ok()??, None).ok()?;
        let dir = self.store.dir();
        let path = dir.fixed_output_path(ContentMethod::Flat, &hash, &References::default(), name).ok()?;
        self.store.is_valid(&path).ok()?.then_some(File { path, hash })
    }

    /// Fetches an archive and unpacks it into the store; the contents and the newest time in it.
    fn fetch_archive(&self, address: &str) -> Result<Unpacked, Error> {
        let url = Url::parse(address, false)?;
        if url.scheme == "file" {
            refuse_folder(&url)?;
        }
        let known = self.cache.get("tarball", &[address]);
        let stored = known.as_ref().and_then(|known| self.stored_tree(known));
        if let (Some(known), Some(_)) = (&known, &stored)
            && !known.expired
            && let Some(unpacked) = stored
        {
            return Ok(unpacked);
        }
        let staged = Staged(self.staging("archive"));
        let etag = known.as_ref().filter(|_| stored.is_some()).and_then(|known| etag(&known.value));
        let request = Request {
            address: address.to_owned(),
            headers: Vec::new(),
            etag,
            to: staged.0.clone(),
            ..Request::default()
        };
        let response = match (self.request(&request), stored) {
            (Ok(response), Some(unpacked)) if !response.modified => {
                if let Some(known) = known {
                    self.cache.put("tarball", &[address], &known.value);
                }
                return Ok(unpacked);
            }
            (Ok(response), _) => response,
            (Err(error), Some(unpacked)) => {
                self.warn(format!("{error}; what was fetched earlier is used"));
                return Ok(unpacked);
            }
            (Err(error), None) => return Err(error),
        };
        let (path, hash, modified) = self.unpack(&staged.0, address)?;
        let mut value = Attributes::default();
        value.set("hash", hash.sri());
        value.set("etag", response.etag.unwrap_or_default());
        value.set("lastModified", Attribute::Int(modified));
        if let Some(immutable) = &response.immutable {
            value.set("immutableUrl", immutable.as_str());
        }
        self.cache.put("tarball", &[address], &value);
        Ok(Unpacked { path, hash, modified, immutable: response.immutable })
    }

    fn stored_tree(&self, known: &Known) -> Option<Unpacked> {
        let (path, hash) = self.known(known.value.text("hash").ok()??)?;
        let modified = known.value.int("lastModified").ok()??;
        let immutable = known.value.text("immutableUrl").ok()?.map(str::to_owned);
        Some(Unpacked { path, hash, modified, immutable })
    }

    /// Unpacks an archive into the store.
    pub(super) fn unpack(&self, archive: &Path, name: &str) -> Result<(StorePath, Hash, u64), Error> {
        let folder = Staged(self.staging("unpacked"));
        let modified = archive::unpack(archive, name, &folder.0)?;
        let top = archive::without_single_folder(&folder.0)?;
        let (path, hash) = self.adopt(&top)?;
        Ok((path, hash, modified))
    }

    /// Fetches an archive into the store under a name, as `fetchTarball` does.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn fetch_tarball(&self, address: &str, name: &str) -> Result<(StorePath, Hash), Error> {
        let unpacked = self.fetch_archive(address)?;
        let path = self.named(&unpacked.path, &unpacked.hash, name)?;
        Ok((path, unpacked.hash))
    }
}

fn etag(value: &Attributes) -> Option<String> {
    value.text("etag").ok().flatten().filter(|etag| !etag.is_empty()).map(str::to_owned)
}

fn refuse_folder(url: &Url) -> Result<(), Error> {
    let path = url.file_path()?;
    let found = Path::new(&path);
    if !found.is_absolute() {
        return Err(Error::Reference(format!("an archive needs an absolute path: `{url}`")));
    }
    if found.join(".git").exists() {
        return Err(Error::Reference(format!("`{path}` is a git repository, no archive: write `git+file`")));
    }
    if found.is_dir() {
        return Err(Error::Reference(format!("`{path}` is a folder, no archive")));
    }
    Ok(())
}

pub(super) fn fetch_file(fetcher: &Fetcher, input: &Input) -> Result<Found, Error> {
    let address = input.attributes.expect_text("url")?;
    let File { path, .. } = fetcher.fetch_file(address, input.name(), &[])?;
    // The tree of a file is the file itself, by the hash of its archive.
    let contents = super::read(&fetcher.physical(&path))?;
    let hash = Hash::sha256(&of_file(false, &contents));
    let staged = fetcher.staging("file");
    nival_sys::fs::write_new(&staged, &contents, 0o644).map_err(|error| Error::Io(staged.clone(), error))?;
    let (path, _) = fetcher.adopt(&staged)?;
    Ok(Found { path, hash, input: input.clone() })
}

pub(super) fn fetch_tarball(fetcher: &Fetcher, input: &Input) -> Result<Found, Error> {
    let address = input.attributes.expect_text("url")?.to_owned();
    let Unpacked { path, hash, modified, immutable } = fetcher.fetch_archive(&address)?;
    let mut result = input.clone();
    if let Some(immutable) = immutable {
        let pinned = Input::from_url(&fetcher.settings, &Url::parse(&immutable, false)?, false)?;
        if pinned.scheme != Some(Scheme::Tarball) {
            return Err(Error::Reference(format!(
                "`{address}` is said to be `{immutable}`, which is no archive"
            )));
        }
        result = pinned;
    }
    if modified > 0 && !result.attributes.has("lastModified") {
        result.attributes.set("lastModified", Attribute::Int(modified));
    }
    Ok(Found { path, hash, input: result })
}
