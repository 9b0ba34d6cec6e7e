//! A binary cache as a store.

use super::{Download, Store, Trust};
use crate::PathInfo;
use crate::binary_cache::{BinaryCache, path_info};
use crate::error::Error;
use crate::remote_error::RemoteError;
use nival_store_model::{StoreDir, StorePath};
use std::collections::BTreeSet;
use std::io::Read;

impl Store for BinaryCache {
    fn url(&self) -> String {
        self.url().to_owned()
    }

    fn dir(&self) -> &StoreDir {
        self.dir()
    }

    fn info(&self, path: &StorePath) -> Result<Option<PathInfo>, Error> {
        Ok(self.query(path)?.as_ref().map(path_info))
    }

    fn nar(&self, path: &StorePath) -> Result<Box<dyn Read + '_>, Error> {
        let missing = || RemoteError::Missing {
            path: self.dir().print(path),
            causes: vec![format!("{} does not have it", self.url())],
        };
        let info = self.query(path)?.ok_or_else(missing)?;
        self.nar(&info)
    }

    fn add(&self, info: &PathInfo, nar: &mut dyn Read, _trust: &Trust, _from: &str) -> Result<(), Error> {
        self.put(info, nar)
    }

    fn all(&self) -> Result<Vec<StorePath>, Error> {
        self.all()
    }

    fn path_of_hash_part(&self, hash_part: &str) -> Result<Option<StorePath>, Error> {
        Ok(self.query_hash(hash_part)?.map(|info| info.path))
    }

    fn add_signatures(&self, path: &StorePath, signatures: &BTreeSet<String>) -> Result<(), Error> {
        self.add_signatures(path, signatures)
    }

    fn log(&self, derivation: &StorePath) -> Result<Option<Vec<u8>>, Error> {
        self.log(derivation)
    }

    fn add_log(&self, derivation: &StorePath, text: &[u8]) -> Result<(), Error> {
        self.put_log(derivation, text)
    }

    fn is_trusted(&self) -> bool {
        self.options().trusted
    }

    fn wants_mass_query(&self) -> bool {
        self.wants_mass_query()
    }

    fn parallel(&self) -> usize {
        25
    }

    fn download_of(&self, path: &StorePath) -> Result<Option<Download>, Error> {
        let found = self.query(path)?;
        Ok(found.map(|info| Download {
            url: info.url,
            compression: info.compression,
            hash: info.file_hash,
            size: info.file_size,
        }))
    }
}
