//! The parameters of a cache's address.

use crate::error::{Doing as _, Error};
use crate::remote_error::RemoteError;
use nival_store_model::{Compression, SecretKey};
use std::path::{Path, PathBuf};

/// How a cache is used; the names of the parameters are Nix's.
#[derive(Clone, Debug)]
pub struct CacheOptions {
    /// How new archives are compressed.
    pub compression: Compression,
    /// How hard they are compressed; -1 is the usual.
    pub compression_level: i32,
    /// Whether a listing of each new archive is written.
    pub write_nar_listing: bool,
    /// Whether files of debug information are found by their build ids.
    pub index_debug_info: bool,
    /// Keys that sign what is added.
    pub secret_keys: Vec<SecretKey>,
    /// Whether its paths are taken without signatures.
    pub trusted: bool,
    /// Where archives that were read are kept, unpacked.
    pub local_nar_cache: Option<PathBuf>,
    /// In place of what the cache says of itself.
    pub priority: Option<i64>,
    /// In place of what the cache says of itself.
    pub want_mass_query: Option<bool>,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            compression: Compression::Xz,
            compression_level: -1,
            write_nar_listing: false,
            index_debug_info: false,
            secret_keys: Vec::new(),
            trusted: false,
            local_nar_cache: None,
            priority: None,
            want_mass_query: None,
        }
    }
}

impl CacheOptions {
    /// Takes the parameters of an address.
    ///
    /// # Errors
    /// [`RemoteError::Address`] where one is unknown or has a value that cannot be; [`RemoteError::Key`].
    pub fn from_parameters(address: &str, parameters: &[(String, String)]) -> Result<Self, Error> {
        let mut options = Self::default();
        for (name, value) in parameters {
            options.take(address, name, value)?;
        }
        Ok(options)
    }

    fn take(&mut self, address: &str, name: &str, value: &str) -> Result<(), Error> {
        let wrong = || RemoteError::Address {
            text: address.to_owned(),
            reason: format!("the parameter `{name}` cannot be `{value}`"),
        };
        let flag = || match value {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            _ => Err(wrong()),
        };
        match name {
            "compression" => self.compression = Compression::from_name(value).ok_or_else(wrong)?,
            "compression-level" => self.compression_level = value.parse().map_err(|_| wrong())?,
            "write-nar-listing" => self.write_nar_listing = flag()?,
            "index-debug-info" => self.index_debug_info = flag()?,
            "local-nar-cache" => {
                self.local_nar_cache = Some(PathBuf::from(value)).filter(|_| !value.is_empty())
            }
            "trusted" => self.trusted = flag()?,
            "priority" => self.priority = Some(value.parse().map_err(|_| wrong())?),
            "want-mass-query" => self.want_mass_query = Some(flag()?),
            "secret-key" => self.secret_keys.push(read_secret_key(Path::new(value))?),
            // The opener reads it.
            "store" => {}
            "secret-keys" => {
                for path in value.split(',').filter(|path| !path.is_empty()) {
                    self.secret_keys.push(read_secret_key(Path::new(path))?);
                }
            }
            _ => {
                let reason = format!("caches have no parameter `{name}`");
                return Err(RemoteError::Address { text: address.to_owned(), reason }.into());
            }
        }
        Ok(())
    }
}

/// Reads the file of a key that signs.
///
/// # Errors
/// [`Error::Io`], [`RemoteError::Key`].
pub fn read_secret_key(path: &Path) -> Result<SecretKey, Error> {
    let text = std::fs::read_to_string(path).doing(|| format!("read the key `{}`", path.display()))?;
    let wrong = |error: nival_store_model::KeyError| RemoteError::Key {
        place: path.display().to_string(),
        reason: error.to_string(),
    };
    Ok(text.trim().parse().map_err(wrong)?)
}
