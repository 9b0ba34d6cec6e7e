//! What caches said, kept between runs: also that they do not have a path, for a shorter time.
//!
//! The file is a cache: where it cannot be read or written, servers are asked instead. Its schema is that of Nix.

use crate::error::{Doing as _, Error};
use nival_store_model::{Compression, Hash, NarInfo, StoreDir, StorePath};
use nival_sys::fs as sys;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const TABLES: &str = "
pragma journal_mode = wal; pragma synchronous = off; pragma foreign_keys = 1;
create table if not exists BinaryCaches (
    id integer primary key autoincrement not null, url text unique not null, timestamp integer not null,
    storeDir text not null, wantMassQuery integer not null, priority integer not null);
create table if not exists NARs (
    cache integer not null, hashPart text not null, namePart text, url text, compression text, fileHash text,
    fileSize integer, narHash text, narSize integer, refs text, deriver text, sigs text, ca text,
    timestamp integer not null, present integer not null, primary key (cache, hashPart),
    foreign key (cache) references BinaryCaches(id) on delete cascade);
create table if not exists LastPurge (dummy text primary key, value integer);
";

/// How long what a cache said counts, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// That it has a path: `narinfo-cache-positive-ttl`.
    pub positive: i64,
    /// That it has none: `narinfo-cache-negative-ttl`.
    pub negative: i64,
    /// What it says of itself.
    pub about: i64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self { positive: 30 * 24 * 3600, negative: 3600, about: 7 * 24 * 3600 }
    }
}

/// What caches said.
pub struct Remembered {
    connection: Mutex<Connection>,
    lifetimes: Lifetimes,
}

impl Remembered {
    /// Opens the file, making it where it is missing; one that is broken is begun anew.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Database`].
    pub fn open(file: &Path, lifetimes: Lifetimes) -> Result<Self, Error> {
        if let Some(folder) = file.parent() {
            sys::create_dir_all(folder).doing(|| format!("make `{}`", folder.display()))?;
        }
        let failed = |error| Error::Database { path: file.to_owned(), error };
        let connection = match prepare(file) {
            Ok(connection) => connection,
            Err(_) => {
                sys::remove_file(file).doing(|| format!("remove `{}`", file.display()))?;
                prepare(file).map_err(failed)?
            }
        };
        let remembered = Self { connection: Mutex::new(connection), lifetimes };
        remembered.purge();
        Ok(remembered)
    }

    fn with<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Option<T> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        work(&connection).ok()
    }

    fn purge(&self) {
        let now = now();
        let positive = now - self.lifetimes.positive.max(30 * 24 * 3600);
        let negative = now - self.lifetimes.negative.max(3600);
        self.with(|connection| {
            let last: Option<i64> =
                connection.query_row("select value from LastPurge", [], |row| row.get(0)).optional()?;
            if last.is_some_and(|last| last >= now - 24 * 3600) {
                return Ok(());
            }
            connection.execute(
                "delete from NARs where (present = 0 and timestamp < ?) or (present = 1 and timestamp < ?)",
                [negative, positive],
            )?;
            connection.execute("insert or replace into LastPurge(dummy, value) values ('', ?)", [now])?;
            Ok(())
        });
    }

    /// Store directory, mass query and priority of a cache.
    pub(super) fn about(&self, url: &str) -> Option<(String, bool, i64)> {
        let since = now() - self.lifetimes.about;
        let query =
            "select storeDir, wantMassQuery, priority from BinaryCaches where url = ? and timestamp > ?";
        self.with(|connection| {
            let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            connection.query_row(query, params![url, since], row).optional()
        })
        .flatten()
    }

    /// Keeps what a cache says of itself.
    pub(super) fn remember_about(&self, url: &str, dir: &str, mass_query: bool, priority: i64) {
        self.with(|connection| {
            connection.execute(
                "insert into BinaryCaches(url, timestamp, storeDir, wantMassQuery, priority)
                 values (?1, ?2, ?3, ?4, ?5) on conflict (url) do update
                 set timestamp = ?2, storeDir = ?3, wantMassQuery = ?4, priority = ?5",
                params![url, now(), dir, mass_query, priority],
            )
        });
    }

    /// What a cache said of a path: nothing that still counts, that it has none, or this.
    pub(super) fn nar_info(&self, url: &str, dir: &StoreDir, hash_part: &str) -> Option<Option<NarInfo>> {
        let now = now();
        self.with(|connection| {
            let mut query = connection.prepare_cached(
                "select present, namePart, NARs.url, compression, fileHash, fileSize, narHash, narSize, refs,
                        deriver, sigs, ca
                 from NARs join BinaryCaches on cache = id
                 where BinaryCaches.url = ? and storeDir = ? and hashPart = ?
                   and (present = 0 and NARs.timestamp > ? or present = 1 and NARs.timestamp > ?)",
            )?;
            let found = query.query_row(
                params![
                    url,
                    dir.as_str(),
                    hash_part,
                    now - self.lifetimes.negative,
                    now - self.lifetimes.positive
                ],
                |row| if row.get(0)? { Ok(read_row(row, hash_part)?.map(Some)) } else { Ok(Some(None)) },
            );
            Ok(found.optional()?.flatten())
        })
        .flatten()
    }

    /// Keeps what a cache says of a path.
    pub(super) fn remember(&self, url: &str, hash_part: &str, info: Option<&NarInfo>) {
        self.with(|connection| match info {
            None => connection
                .prepare_cached(
                    "insert or replace into NARs(cache, hashPart, timestamp, present)
                     select id, ?, ?, 0 from BinaryCaches where url = ?",
                )?
                .execute(params![hash_part, now(), url]),
            Some(info) => write_row(connection, url, hash_part, info),
        });
    }
}

fn prepare(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.execute_batch(TABLES)?;
    Ok(connection)
}

/// A row as it was written; `None` where it cannot be read.
fn read_row(row: &Row<'_>, hash_part: &str) -> rusqlite::Result<Option<NarInfo>> {
    let text = |at: usize| row.get::<_, Option<String>>(at).map(Option::unwrap_or_default);
    let (name, hash, compression) = (text(1)?, text(6)?, text(3)?);
    let hash = Hash::parse(&hash, None).ok();
    let path = StorePath::parse(&format!("{hash_part}-{name}")).ok();
    let (Some(path), Some(nar_hash), Some(compression)) = (path, hash, Compression::from_name(&compression))
    else {
        return Ok(None);
    };
    let references = text(8)?;
    let references: Result<Vec<_>, _> = references.split_whitespace().map(StorePath::parse).collect();
    let Ok(references) = references else { return Ok(None) };
    let number = |at: usize| row.get::<_, Option<i64>>(at).map(|n| n.unwrap_or(0).unsigned_abs());
    Ok(Some(NarInfo {
        path,
        url: text(2)?,
        compression,
        file_hash: Hash::parse(&text(4)?, None).ok(),
        file_size: number(5)?,
        nar_hash,
        nar_size: number(7)?,
        references,
        deriver: StorePath::parse(&text(9)?).ok(),
        signatures: text(10)?.split_whitespace().filter_map(|text| text.parse().ok()).collect(),
        content_address: text(11)?.parse().ok(),
    }))
}

fn write_row(connection: &Connection, url: &str, hash_part: &str, info: &NarInfo) -> rusqlite::Result<usize> {
    let references: Vec<_> = info.references.iter().map(StorePath::base_name).collect();
    let signatures: Vec<_> = info.signatures.iter().map(ToString::to_string).collect();
    connection
        .prepare_cached(
            "insert or replace into NARs(cache, hashPart, namePart, url, compression, fileHash, fileSize,
                 narHash, narSize, refs, deriver, sigs, ca, timestamp, present)
             select id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1 from BinaryCaches where url = ?",
        )?
        .execute(params![
            hash_part,
            info.path.name(),
            info.url,
            info.compression.name(),
            info.file_hash.as_ref().map(Hash::prefixed_base32),
            info.file_size.cast_signed(),
            info.nar_hash.prefixed_base32(),
            info.nar_size.cast_signed(),
            references.join(" "),
            info.deriver.as_ref().map(StorePath::base_name),
            signatures.join(" "),
            info.content_address.as_ref().map(ToString::to_string).unwrap_or_default(),
            now(),
            url
        ])
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
}
