//! What paths have to do with each other: references, referrers, derivers, outputs.

use super::Database;
use crate::error::Error;
use nival_store_model::StorePath;
use rusqlite::OptionalExtension as _;
use std::collections::BTreeMap;

impl Database {
    pub(crate) fn references(&self, id: i64) -> Result<Vec<StorePath>, Error> {
        self.paths(
            "select path from Refs join ValidPaths on reference = id where referrer = ? order by path",
            [id],
        )
    }

    /// What a path refers to; nothing where it is not valid.
    pub(crate) fn references_of(&self, path: &StorePath) -> Result<Vec<StorePath>, Error> {
        self.id(path)?.map_or_else(|| Ok(Vec::new()), |id| self.references(id))
    }

    /// The valid paths that refer to a path, itself among them where it does.
    pub(crate) fn referrers(&self, path: &StorePath) -> Result<Vec<StorePath>, Error> {
        self.paths(
            "select path from Refs join ValidPaths on referrer = id
             where reference = (select id from ValidPaths where path = ?) order by path",
            [self.dir.print(path)],
        )
    }

    /// The valid derivations that have a path as output.
    pub(crate) fn valid_derivers(&self, path: &StorePath) -> Result<Vec<StorePath>, Error> {
        self.paths(
            "select v.path from DerivationOutputs d join ValidPaths v on d.drv = v.id where d.path = ?
             order by v.path",
            [self.dir.print(path)],
        )
    }

    /// The output paths of a derivation that are known from its file.
    pub(crate) fn outputs(&self, drv: &StorePath) -> Result<BTreeMap<String, StorePath>, Error> {
        let rows: Result<Vec<(String, String)>, _> = self
            .connection
            .prepare_cached(
                "select d.id, d.path from DerivationOutputs d join ValidPaths v on d.drv = v.id where v.path = ?",
            )
            .and_then(|mut query| {
                query.query_map([self.dir.print(drv)], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
            });
        let rows = rows.map_err(self.failed())?;
        rows.into_iter().map(|(name, path)| Ok((name, self.dir.parse(&path)?))).collect()
    }

    /// The valid path with these 32 digits.
    pub(crate) fn with_hash_part(&self, digits: &str) -> Result<Option<StorePath>, Error> {
        let prefix = format!("{}/{digits}", self.dir.as_str());
        let found: Option<String> = self
            .connection
            .prepare_cached("select path from ValidPaths where path >= ? limit 1")
            .and_then(|mut query| query.query_row([&prefix], |row| row.get(0)).optional())
            .map_err(self.failed())?;
        match found.filter(|path| path.starts_with(&prefix)) {
            Some(path) => Ok(Some(self.dir.parse(&path)?)),
            None => Ok(None),
        }
    }
}
