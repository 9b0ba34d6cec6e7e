//! Writing: registering paths, their references and signatures, and taking them out.

use super::Database;
use crate::PathInfo;
use crate::error::Error;
use nival_store_model::{StoreDir, StorePath};
use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The outputs of derivations that are registered, where they are known from their files.
pub(crate) type Outputs = BTreeMap<StorePath, Vec<(String, StorePath)>>;

impl Database {
    /// Registers paths in one transaction; references may name each other. What is valid already gets what is new of it.
    pub(crate) fn register(&mut self, infos: &[PathInfo], outputs: &Outputs, now: i64) -> Result<(), Error> {
        let failed = self.failed();
        let dir = self.dir.clone();
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
        let mut ids = HashMap::new();
        for info in infos {
            let id = write(&transaction, &dir, info, now).map_err(&failed)?;
            ids.insert(&info.path, id);
            for (name, path) in outputs.get(&info.path).into_iter().flatten() {
                transaction
                    .prepare_cached(
                        "insert or replace into DerivationOutputs (drv, id, path) values (?, ?, ?)",
                    )
                    .and_then(|mut insert| insert.execute(params![id, name, dir.print(path)]))
                    .map_err(&failed)?;
            }
        }
        for info in infos {
            for reference in &info.references {
                let known = match ids.get(reference) {
                    Some(id) => Some(*id),
                    None => transaction
                        .prepare_cached("select id from ValidPaths where path = ?")
                        .and_then(|mut query| {
                            query.query_row([dir.print(reference)], |row| row.get(0)).optional()
                        })
                        .map_err(&failed)?,
                };
                let (Some(reference), Some(referrer)) = (known, ids.get(&info.path)) else {
                    return Err(Error::MissingReference {
                        path: dir.print(&info.path),
                        reference: dir.print(reference),
                    });
                };
                transaction
                    .prepare_cached("insert or replace into Refs (referrer, reference) values (?, ?)")
                    .and_then(|mut insert| insert.execute([*referrer, reference]))
                    .map_err(&failed)?;
            }
        }
        transaction.commit().map_err(&failed)
    }

    /// Adds signatures to a valid path.
    pub(crate) fn add_signatures(
        &mut self,
        path: &StorePath,
        signatures: &BTreeSet<String>,
    ) -> Result<(), Error> {
        let failed = self.failed();
        let printed = self.dir.print(path);
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
        let old: Option<Option<String>> = transaction
            .query_row("select sigs from ValidPaths where path = ?", [&printed], |row| row.get(0))
            .optional()
            .map_err(&failed)?;
        let Some(old) = old else { return Err(Error::NotValid(printed)) };
        let mut all = signatures.clone();
        all.extend(old.unwrap_or_default().split_whitespace().map(str::to_owned));
        transaction
            .execute("update ValidPaths set sigs = ? where path = ?", params![joined(&all), printed])
            .map_err(&failed)?;
        transaction.commit().map_err(&failed)
    }

    /// Changes what is said of a valid path's contents.
    pub(crate) fn update(&mut self, info: &PathInfo) -> Result<(), Error> {
        update(&self.connection, &self.dir, info).map(drop).map_err(self.failed())
    }

    /// Takes a path out; other paths that refer to it are said.
    pub(crate) fn invalidate(&mut self, path: &StorePath) -> Result<(), Error> {
        let failed = self.failed();
        let printed = self.dir.print(path);
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
        let referrers: Result<Vec<String>, _> = transaction
            .prepare_cached(
                "select path from Refs join ValidPaths on referrer = id
                 where reference = (select id from ValidPaths where path = ?1) and path <> ?1 order by path",
            )
            .and_then(|mut query| query.query_map([&printed], |row| row.get(0))?.collect());
        let referrers = referrers.map_err(&failed)?;
        if !referrers.is_empty() {
            return Err(Error::InUse { path: printed, by: referrers });
        }
        transaction.execute("delete from ValidPaths where path = ?", [&printed]).map_err(&failed)?;
        transaction.commit().map_err(&failed)
    }
}

fn joined(signatures: &BTreeSet<String>) -> Option<String> {
    let all: Vec<&str> = signatures.iter().map(String::as_str).collect();
    if all.is_empty() { None } else { Some(all.join(" ")) }
}

/// Writes one path and gives its number.
fn write(transaction: &Transaction<'_>, dir: &StoreDir, info: &PathInfo, now: i64) -> rusqlite::Result<i64> {
    let printed = dir.print(&info.path);
    if update(transaction, dir, info)? > 0 {
        let mut query = transaction.prepare_cached("select id from ValidPaths where path = ?")?;
        return query.query_row([printed], |row| row.get(0));
    }
    let mut insert = transaction.prepare_cached(
        "insert into ValidPaths (path, hash, registrationTime, deriver, narSize, ultimate, sigs, ca)
         values (?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    insert.execute(params![
        printed,
        info.nar_hash.prefixed_base16(),
        if info.registered == 0 { now } else { info.registered },
        info.deriver.as_ref().map(|deriver| dir.print(deriver)),
        info.nar_size.cast_signed(),
        info.ultimate.then_some(1),
        joined(&info.signatures),
        info.content_address.as_ref().map(ToString::to_string),
    ])?;
    Ok(transaction.last_insert_rowid())
}

fn update(connection: &rusqlite::Connection, dir: &StoreDir, info: &PathInfo) -> rusqlite::Result<usize> {
    let mut update = connection.prepare_cached(
        "update ValidPaths set narSize = ?, hash = ?, ultimate = ?, sigs = ?, ca = ? where path = ?",
    )?;
    update.execute(params![
        info.nar_size.cast_signed(),
        info.nar_hash.prefixed_base16(),
        info.ultimate.then_some(1),
        joined(&info.signatures),
        info.content_address.as_ref().map(ToString::to_string),
        dir.print(&info.path),
    ])
}
