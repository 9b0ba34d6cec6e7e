//! Binary caches: archives with what is to be known of them, in a folder or behind a web server.
//!
//! A cache holds `nix-cache-info`, for each path `HASH.narinfo`, the compressed archive that it names, and maybe
//! `HASH.ls`, `log/NAME.drv`, `realisations/ID.doi` and `debuginfo/ID`. Nothing that it says is believed here: who
//! takes a path from it checks signatures first and then what arrives.

mod compress;
mod listing;
mod options;
mod place;
mod put;
mod remembered;

pub use listing::listing;
pub use options::{CacheOptions, read_secret_key};
pub use remembered::{Lifetimes, Remembered};

pub(crate) use compress::decoder;

use crate::PathInfo;
use crate::error::{Doing as _, Error};
use crate::remote_error::RemoteError;
use nival_store_model::{Hash, NarInfo, StoreDir, StorePath};
use nival_sys::fs as sys;
use nival_transport::Transport;
use place::Place;
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The name behind the dash where only the hash is known.
const NAME_UNKNOWN: &str = "x";

/// One binary cache.
pub struct BinaryCache {
    url: String,
    dir: StoreDir,
    place: Place,
    options: CacheOptions,
    priority: i64,
    mass_query: bool,
    remembered: Option<Arc<Remembered>>,
    /// What was asked by this process.
    known: Mutex<HashMap<String, Option<NarInfo>>>,
}

/// What a cache says of itself.
struct About {
    mass_query: bool,
    priority: i64,
}

impl BinaryCache {
    /// Opens the cache in a folder; with `create`, what is missing is made.
    ///
    /// # Errors
    /// [`RemoteError::Cache`] where it is for another store directory, [`Error::Io`].
    pub fn in_folder(
        folder: &Path,
        dir: &StoreDir,
        options: CacheOptions,
        remembered: Option<Arc<Remembered>>,
        create: bool,
    ) -> Result<Self, Error> {
        let folder = std::path::absolute(folder).doing(|| format!("find `{}`", folder.display()))?;
        let url = format!("file://{}", folder.display());
        if create {
            for name in ["nar", "realisations", "log"] {
                sys::create_dir_all(&folder.join(name)).doing(|| format!("make `{url}`"))?;
            }
        }
        Self::at(url, Place::Folder(folder), dir, options, remembered, create)
    }

    /// Opens the cache behind a web server; with `create` it is begun where there is none.
    ///
    /// # Errors
    /// [`RemoteError::Cache`] where it is for another store directory, [`RemoteError::Transport`].
    pub fn on_web(
        address: &str,
        dir: &StoreDir,
        options: CacheOptions,
        transport: Arc<Transport>,
        remembered: Option<Arc<Remembered>>,
        create: bool,
    ) -> Result<Self, Error> {
        let url = address.trim_end_matches('/').to_owned();
        let place = Place::Http { base: url.clone(), transport };
        Self::at(url, place, dir, options, remembered, create)
    }

    /// Opens the cache of a place by what it says of itself, or said in an earlier run.
    fn at(
        url: String,
        place: Place,
        dir: &StoreDir,
        options: CacheOptions,
        remembered: Option<Arc<Remembered>>,
        create: bool,
    ) -> Result<Self, Error> {
        let known = remembered.as_ref().and_then(|remembered| remembered.about(&url));
        let about = match known.filter(|(of, _, _)| of == dir.as_str()) {
            Some((_, mass_query, priority)) => About { mass_query, priority },
            None => {
                let about = about(&place, &url, dir, create, remembered.is_some())?;
                if let Some(remembered) = &remembered {
                    remembered.remember_about(&url, dir.as_str(), about.mass_query, about.priority);
                }
                about
            }
        };
        Ok(Self::new(url, dir, place, options, &about, remembered))
    }

    fn new(
        url: String,
        dir: &StoreDir,
        place: Place,
        options: CacheOptions,
        about: &About,
        remembered: Option<Arc<Remembered>>,
    ) -> Self {
        let priority = options.priority.unwrap_or(about.priority);
        let mass_query = options.want_mass_query.unwrap_or(about.mass_query);
        Self {
            url,
            dir: dir.clone(),
            place,
            options,
            priority,
            mass_query,
            remembered,
            known: Mutex::default(),
        }
    }

    /// Its address without parameters.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The store directory that its paths are for.
    pub fn dir(&self) -> &StoreDir {
        &self.dir
    }

    /// Smaller is asked first.
    pub fn priority(&self) -> i64 {
        self.priority
    }

    /// Whether it wants to be asked for many paths at once.
    pub fn wants_mass_query(&self) -> bool {
        self.mass_query
    }

    /// How it is used.
    pub fn options(&self) -> &CacheOptions {
        &self.options
    }

    /// What it says of a path; `None` where it has none of that hash and name.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub fn query(&self, path: &StorePath) -> Result<Option<NarInfo>, Error> {
        let found = self.query_hash(path.hash_part())?;
        Ok(found.filter(|info| info.path == *path))
    }

    /// What it says of the path with a hash part, whatever its name.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub fn query_hash(&self, hash_part: &str) -> Result<Option<NarInfo>, Error> {
        if let Some(known) = self.known().get(hash_part) {
            return Ok(known.clone());
        }
        let remembered = self.remembered.as_ref();
        if let Some(found) =
            remembered.and_then(|remembered| remembered.nar_info(&self.url, &self.dir, hash_part))
        {
            self.known().insert(hash_part.to_owned(), found.clone());
            return Ok(found);
        }
        let found = self.read_info(hash_part)?;
        if let Some(remembered) = remembered {
            remembered.remember(&self.url, hash_part, found.as_ref());
        }
        self.known().insert(hash_part.to_owned(), found.clone());
        Ok(found)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, Option<NarInfo>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_info(&self, hash_part: &str) -> Result<Option<NarInfo>, Error> {
        let name = format!("{hash_part}.narinfo");
        let Some(bytes) = self.place.small(&name)? else { return Ok(None) };
        let corrupt =
            |reason: String| RemoteError::cache(&self.url, format!("`{name}` is corrupt: {reason}"));
        let text = String::from_utf8(bytes).map_err(|_| corrupt("it is no text".to_owned()))?;
        let info = NarInfo::parse(&self.dir, &text).map_err(|error| corrupt(error.to_string()))?;
        if info.path.hash_part() != hash_part {
            return Err(corrupt(format!("it is about another path, `{}`", info.path)).into());
        }
        Ok(Some(info))
    }

    /// The archive of a path, decompressed while it is read. It ends with an error where it is longer than was said.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub fn nar(&self, info: &NarInfo) -> Result<Box<dyn Read + '_>, Error> {
        let Some(folder) = &self.options.local_nar_cache else { return self.nar_of_place(info) };
        let doing = || format!("keep the archive of `{}` in `{}`", info.path, folder.display());
        let file = folder.join(format!("{}.nar", info.path.hash_part()));
        if !file.is_file() {
            sys::create_dir_all(folder).doing(doing)?;
            let mut archive = Vec::new();
            self.nar_of_place(info)?.read_to_end(&mut archive).doing(doing)?;
            // Kept for later readers too: only what was said is.
            if Hash::of(info.nar_hash.algorithm(), &archive) == info.nar_hash {
                sys::write_atomic(&file, &archive, 0o644).doing(doing)?;
            }
            return Ok(Box::new(std::io::Cursor::new(archive)));
        }
        Ok(Box::new(std::fs::File::open(&file).doing(doing)?))
    }

    fn nar_of_place(&self, info: &NarInfo) -> Result<Box<dyn Read + '_>, Error> {
        let gone = || RemoteError::Gone { url: self.url.clone(), archive: info.url.clone() };
        let packed = self.place.open(&info.url)?.ok_or_else(gone)?;
        // What is compressed may be a little longer than what it holds, where it cannot be compressed.
        let usual = info.nar_size.saturating_add(info.nar_size / 16).saturating_add(1 << 16);
        let limit = if info.file_size > 0 { info.file_size } else { usual };
        let packed = Limited { input: packed, left: limit, limit };
        let unpacked =
            decoder(info.compression, packed).doing(|| format!("unpack `{}` of `{}`", info.url, self.url))?;
        Ok(Box::new(Limited { input: unpacked, left: info.nar_size, limit: info.nar_size }))
    }

    /// All paths, where the cache is a folder; their names are read from the files.
    ///
    /// # Errors
    /// [`RemoteError::Cache`] behind web servers, which cannot be asked that.
    pub fn all(&self) -> Result<Vec<StorePath>, Error> {
        let cannot = || RemoteError::cache(&self.url, "it cannot be asked for everything that it has");
        let folder = self.place.folder().ok_or_else(cannot)?;
        let doing = || format!("read `{}`", folder.display());
        let mut all = Vec::new();
        for entry in folder.read_dir().doing(doing)? {
            let name = entry.doing(doing)?.file_name();
            let hash_part = name.to_str().and_then(|name| name.strip_suffix(".narinfo"));
            let hash_part =
                hash_part.filter(|part| StorePath::parse(&format!("{part}-{NAME_UNKNOWN}")).is_ok());
            if let Some(hash_part) = hash_part
                && let Some(info) = self.query_hash(hash_part)?
            {
                all.push(info.path);
            }
        }
        all.sort();
        Ok(all)
    }

    /// The log of a derivation's build.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub fn log(&self, derivation: &StorePath) -> Result<Option<Vec<u8>>, Error> {
        self.place.small(&format!("log/{}", derivation.base_name()))
    }

    /// The realisation of a derivation's output, as JSON.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub fn realisation(&self, id: &str) -> Result<Option<Vec<u8>>, Error> {
        self.place.small(&format!("realisations/{id}.doi"))
    }
}

/// What a store's own description of a path is, as a cache tells it.
pub fn path_info(info: &NarInfo) -> PathInfo {
    let mut all = PathInfo::new(info.path.clone(), info.nar_hash.clone(), info.nar_size);
    all.references.clone_from(&info.references);
    all.deriver.clone_from(&info.deriver);
    all.content_address.clone_from(&info.content_address);
    all.signatures = info.signatures.iter().map(ToString::to_string).collect();
    all
}

impl Default for About {
    fn default() -> Self {
        Self { mass_query: false, priority: 50 }
    }
}

/// What a cache says of itself; with `create` it is begun where there is none. What is remembered must have been said.
fn about(
    place: &Place,
    url: &str,
    dir: &StoreDir,
    create: bool,
    is_remembered: bool,
) -> Result<About, Error> {
    match read_about(place, url, dir)? {
        Some(about) => Ok(about),
        None if create => {
            place.write("nix-cache-info", format!("StoreDir: {}\n", dir.as_str()).as_bytes())?;
            Ok(About::default())
        }
        None => match place.folder() {
            Some(folder) if folder.is_dir() && !is_remembered => Ok(About::default()),
            Some(folder) if !folder.is_dir() => {
                Err(RemoteError::cache(url, "there is no such folder").into())
            }
            _ => Err(RemoteError::cache(
                url,
                "it has no file nix-cache-info, and uploading one is not supported where it is only read",
            )
            .into()),
        },
    }
}

fn read_about(place: &Place, url: &str, dir: &StoreDir) -> Result<Option<About>, Error> {
    let Some(bytes) = place.small("nix-cache-info")? else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes);
    let mut about = About::default();
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        match (name, value.trim()) {
            ("StoreDir", other) if other != dir.as_str() => {
                let text = format!("it is for the store directory `{other}`, not `{}`", dir.as_str());
                return Err(RemoteError::cache(url, text).into());
            }
            ("WantMassQuery", value) => about.mass_query = value == "1",
            ("Priority", value) => {
                let wrong = |_| RemoteError::cache(url, format!("its priority is no number: `{value}`"));
                about.priority = value.parse().map_err(wrong)?;
            }
            _ => {}
        }
    }
    Ok(Some(about))
}

/// Reads at most so many bytes; more are an error, so that an input without end has one.
struct Limited<R> {
    input: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 && !buffer.is_empty() {
            return match self.input.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(std::io::Error::other(format!(
                    "it is longer than the {} bytes that were said",
                    self.limit
                ))),
            };
        }
        let count = self.input.read(&mut buffer[..most])?;
        self.left -= count as u64;
        Ok(count)
    }
}
