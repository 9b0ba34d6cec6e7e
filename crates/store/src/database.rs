//! The database of valid paths, in Nix's schema.

use crate::error::Error;
use nival_store_model::{Hash, StoreDir, StorePath};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The schema that is read and written.
pub(crate) const SCHEMA: &str = "10";

const TABLES: &str = "
create table if not exists ValidPaths (
    id integer primary key autoincrement not null,
    path text unique not null, hash text not null, registrationTime integer not null,
    deriver text, narSize integer, ultimate integer, sigs text, ca text);
create table if not exists Refs (
    referrer integer not null, reference integer not null, primary key (referrer, reference),
    foreign key (referrer) references ValidPaths(id) on delete cascade,
    foreign key (reference) references ValidPaths(id) on delete restrict);
create index if not exists IndexReferrer on Refs(referrer);
create index if not exists IndexReference on Refs(reference);
create trigger if not exists DeleteSelfRefs before delete on ValidPaths
  begin delete from Refs where referrer = old.id and reference = old.id; end;
create table if not exists DerivationOutputs (
    drv integer not null, id text not null, path text not null, primary key (drv, id),
    foreign key (drv) references ValidPaths(id) on delete cascade);
create index if not exists IndexDerivationOutputs on DerivationOutputs(path);
";

/// What the database says of one valid path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathInfo {
    /// The path.
    pub path: StorePath,
    /// SHA-256 of its NAR.
    pub nar_hash: Hash,
    /// Bytes of its NAR.
    pub nar_size: u64,
    /// What it refers to, sorted.
    pub references: Vec<StorePath>,
    /// The derivation that made it, where one did.
    pub deriver: Option<StorePath>,
    /// The claim that its address comes from its contents, in Nix's spelling.
    pub content_address: Option<String>,
    /// Whether it was built here.
    pub ultimate: bool,
}

pub(crate) struct Database {
    connection: Connection,
    path: PathBuf,
    dir: StoreDir,
}

impl Database {
    pub(crate) fn open(path: &Path, dir: &StoreDir) -> Result<Self, Error> {
        let failed = |error| Error::Database { path: path.to_owned(), error };
        let connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(Duration::from_secs(60)).map_err(failed)?;
        connection
            .execute_batch("pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = 1;")
            .map_err(failed)?;
        connection.execute_batch(TABLES).map_err(failed)?;
        Ok(Self { connection, path: path.to_owned(), dir: dir.clone() })
    }

    fn failed(&self) -> impl Fn(rusqlite::Error) -> Error + '_ {
        |error| Error::Database { path: self.path.clone(), error }
    }

    pub(crate) fn is_valid(&self, path: &StorePath) -> Result<bool, Error> {
        let mut query = self
            .connection
            .prepare_cached("select 1 from ValidPaths where path = ?")
            .map_err(self.failed())?;
        query.exists([self.dir.print(path)]).map_err(self.failed())
    }

    pub(crate) fn info(&self, path: &StorePath) -> Result<Option<PathInfo>, Error> {
        let row = self
            .connection
            .prepare_cached("select id, hash, narSize, deriver, ca, ultimate from ValidPaths where path = ?")
            .and_then(|mut query| {
                query
                    .query_row([self.dir.print(path)], |row| {
                        Ok((
                            row.get::<_, i64>(0)?,
                            row.get::<_, String>(1)?,
                            row.get::<_, Option<i64>>(2)?,
                            row.get::<_, Option<String>>(3)?,
                            row.get::<_, Option<String>>(4)?,
                            row.get::<_, Option<bool>>(5)?,
                        ))
                    })
                    .optional()
            })
            .map_err(self.failed())?;
        let Some((id, hash, size, deriver, content_address, ultimate)) = row else { return Ok(None) };
        let broken = || (self.failed())(rusqlite::Error::InvalidColumnName(format!("hash of {path}")));
        Ok(Some(PathInfo {
            path: path.clone(),
            nar_hash: Hash::parse(&hash, None).map_err(|_| broken())?,
            nar_size: size.unwrap_or(0).unsigned_abs(),
            references: self.references(id)?,
            deriver: deriver.and_then(|text| self.dir.parse(&text).ok()),
            content_address,
            ultimate: ultimate.unwrap_or(false),
        }))
    }

    fn references(&self, id: i64) -> Result<Vec<StorePath>, Error> {
        let mut query = self
            .connection
            .prepare_cached(
                "select path from Refs join ValidPaths on reference = id where referrer = ? order by path",
            )
            .map_err(self.failed())?;
        let rows = query.query_map([id], |row| row.get::<_, String>(0)).map_err(self.failed())?;
        let mut all = Vec::new();
        for row in rows {
            all.push(self.dir.parse(&row.map_err(self.failed())?)?);
        }
        Ok(all)
    }

    pub(crate) fn all(&self) -> Result<Vec<StorePath>, Error> {
        let mut query = self
            .connection
            .prepare_cached("select path from ValidPaths order by path")
            .map_err(self.failed())?;
        let rows = query.query_map([], |row| row.get::<_, String>(0)).map_err(self.failed())?;
        let mut all = Vec::new();
        for row in rows {
            all.push(self.dir.parse(&row.map_err(self.failed())?)?);
        }
        Ok(all)
    }

    /// Registers paths in one transaction; references may name each other.
    pub(crate) fn register(&mut self, infos: &[PathInfo], now: i64) -> Result<(), Error> {
        let path = self.path.clone();
        let failed = |error| Error::Database { path: path.clone(), error };
        let dir = self.dir.clone();
        let transaction = self.connection.transaction().map_err(failed)?;
        for info in infos {
            transaction
                .prepare_cached(
                    "insert into ValidPaths (path, hash, registrationTime, deriver, narSize, ultimate, ca)
                     values (?, ?, ?, ?, ?, ?, ?) on conflict(path) do nothing",
                )
                .and_then(|mut insert| {
                    insert.execute(params![
                        dir.print(&info.path),
                        info.nar_hash.prefixed_base16(),
                        now,
                        info.deriver.as_ref().map(|deriver| dir.print(deriver)),
                        info.nar_size.cast_signed(),
                        info.ultimate.then_some(1),
                        info.content_address,
                    ])
                })
                .map_err(failed)?;
        }
        for info in infos {
            for reference in &info.references {
                let changed = transaction
                    .prepare_cached(
                        "insert or ignore into Refs (referrer, reference)
                         select a.id, b.id from ValidPaths a, ValidPaths b where a.path = ? and b.path = ?",
                    )
                    .and_then(|mut insert| {
                        insert.execute(params![dir.print(&info.path), dir.print(reference)])
                    })
                    .map_err(failed)?;
                let known = || {
                    let mut query = transaction.prepare_cached("select 1 from ValidPaths where path = ?")?;
                    query.exists([dir.print(reference)])
                };
                if changed == 0 && !known().map_err(failed)? {
                    return Err(Error::MissingReference {
                        path: dir.print(&info.path),
                        reference: dir.print(reference),
                    });
                }
            }
        }
        transaction.commit().map_err(failed)
    }

    pub(crate) fn register_outputs(
        &mut self,
        drv: &StorePath,
        outputs: &[(String, StorePath)],
    ) -> Result<(), Error> {
        for (name, path) in outputs {
            self.connection
                .prepare_cached(
                    "insert or replace into DerivationOutputs (drv, id, path)
                     select id, ?, ? from ValidPaths where path = ?",
                )
                .and_then(|mut insert| {
                    insert.execute(params![name, self.dir.print(path), self.dir.print(drv)])
                })
                .map_err(self.failed())?;
        }
        Ok(())
    }

    pub(crate) fn check_integrity(&self) -> Result<Vec<String>, Error> {
        let mut query = self.connection.prepare("pragma integrity_check").map_err(self.failed())?;
        let rows = query.query_map([], |row| row.get::<_, String>(0)).map_err(self.failed())?;
        let lines: Result<Vec<String>, _> = rows.collect();
        Ok(lines.map_err(self.failed())?.into_iter().filter(|line| line != "ok").collect())
    }
}
