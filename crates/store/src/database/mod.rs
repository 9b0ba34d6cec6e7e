//! The database of valid paths, in Nix's schema.

mod realisations;
mod register;
mod relations;

pub use realisations::Realisation;
pub(crate) use register::Outputs;

use crate::error::Error;
use crate::{PathInfo, StoreSettings};
use nival_store_model::{Hash, StoreDir, StorePath};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row};
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
create table if not exists SchemaMigrations (migration text primary key not null);
";

/// The columns of a path, in the order that [`Database::info`] reads them.
const COLUMNS: &str = "id, path, hash, registrationTime, deriver, narSize, ultimate, sigs, ca";

pub(crate) struct Database {
    pub(crate) connection: Connection,
    path: PathBuf,
    dir: StoreDir,
}

/// Tries again while another program holds the database: where one opens it while others do, or while the last of them
/// closes it, SQLite gives up at once, whatever its own waiting time is.
fn patiently<T>(mut attempt: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let end = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        match attempt() {
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
                    && std::time::Instant::now() < end =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            result => return result,
        }
    }
}

/// Asks for the number of a valid path.
const VALID: &str = "select id from ValidPaths where path = ?";

impl Database {
    /// Opens a database, making the tables that are missing.
    pub(crate) fn open(path: &Path, dir: &StoreDir, settings: &StoreSettings) -> Result<Self, Error> {
        let failed = |error| Error::Database { path: path.to_owned(), error };
        if settings.read_only {
            let address = format!("file:{}?immutable=1", path.display());
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            let connection = Connection::open_with_flags(address, flags).map_err(failed)?;
            return Ok(Self { connection, path: path.to_owned(), dir: dir.clone() });
        }
        let connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(Duration::from_secs(600)).map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(64);
        let synchronous = if settings.fsync_metadata { "normal" } else { "off" };
        let journal = if settings.use_sqlite_wal { "wal" } else { "truncate" };
        // A large write-ahead log: all of a system's derivations are written with one wait for the disk.
        let pragmas = format!(
            "pragma synchronous = {synchronous}; pragma journal_mode = {journal};
             pragma wal_autocheckpoint = 40000; pragma journal_size_limit = 1099511627776;
             pragma foreign_keys = 1;"
        );
        patiently(|| connection.execute_batch(&pragmas)).map_err(failed)?;
        let schema = "select 1 from sqlite_master where name = 'SchemaMigrations'";
        let complete =
            patiently(|| connection.query_row(schema, [], |_| Ok(())).optional()).map_err(failed)?;
        if complete.is_none() {
            patiently(|| connection.execute_batch(TABLES)).map_err(failed)?;
        }
        Ok(Self { connection, path: path.to_owned(), dir: dir.clone() })
    }

    pub(crate) fn failed(&self) -> impl Fn(rusqlite::Error) -> Error + use<> {
        let path = self.path.clone();
        move |error| Error::Database { path: path.clone(), error }
    }

    pub(crate) fn is_valid(&self, path: &StorePath) -> Result<bool, Error> {
        Ok(self.id(path)?.is_some())
    }

    /// Whether each of some paths is valid, all by one look at the database.
    pub(crate) fn are_valid(&self, paths: &[StorePath]) -> Result<Vec<bool>, Error> {
        let look = || {
            // One lock for all the questions.
            let look = self.connection.unchecked_transaction()?;
            let mut query = look.prepare_cached(VALID)?;
            let mut text = String::new();
            let mut one = |path: &StorePath| {
                text.clear();
                self.dir.push(&mut text, path);
                query.exists([text.as_str()])
            };
            let valid = paths.iter().map(&mut one).collect::<Result<_, _>>()?;
            drop(query);
            look.finish()?;
            Ok(valid)
        };
        look().map_err(self.failed())
    }

    /// The number of a valid path.
    pub(crate) fn id(&self, path: &StorePath) -> Result<Option<i64>, Error> {
        self.connection
            .prepare_cached(VALID)
            .and_then(|mut query| query.query_row([self.dir.print(path)], |row| row.get(0)).optional())
            .map_err(self.failed())
    }

    pub(crate) fn info(&self, path: &StorePath) -> Result<Option<PathInfo>, Error> {
        let text = format!("select {COLUMNS} from ValidPaths where path = ?");
        let row = self
            .connection
            .prepare_cached(&text)
            .and_then(|mut query| query.query_row([self.dir.print(path)], Raw::read).optional())
            .map_err(self.failed())?;
        row.map(|raw| self.complete(raw)).transpose()
    }

    /// What is known of all paths, sorted by path.
    pub(crate) fn all_infos(&self) -> Result<Vec<PathInfo>, Error> {
        let text = format!("select {COLUMNS} from ValidPaths order by path");
        let rows: Result<Vec<_>, _> =
            self.connection.prepare(&text).and_then(|mut query| query.query_map([], Raw::read)?.collect());
        rows.map_err(self.failed())?.into_iter().map(|raw| self.complete(raw)).collect()
    }

    fn complete(&self, raw: Raw) -> Result<PathInfo, Error> {
        let path = self.dir.parse(&raw.path)?;
        let broken =
            |column: &str| (self.failed())(rusqlite::Error::InvalidColumnName(format!("{column} of {path}")));
        let content_address = match raw.content_address.as_deref() {
            None | Some("") => None,
            Some(text) => Some(text.parse().map_err(|_| broken("ca"))?),
        };
        let signatures = raw.signatures.unwrap_or_default();
        Ok(PathInfo {
            nar_hash: Hash::parse(&raw.hash, None).map_err(|_| broken("hash"))?,
            nar_size: raw.size.unwrap_or(0).unsigned_abs(),
            references: self.references(raw.id)?,
            deriver: raw.deriver.and_then(|text| self.dir.parse(&text).ok()),
            content_address,
            ultimate: raw.ultimate.unwrap_or(false),
            signatures: signatures.split_whitespace().map(str::to_owned).collect(),
            registered: raw.registered,
            path,
        })
    }

    pub(crate) fn all(&self) -> Result<Vec<StorePath>, Error> {
        self.paths("select path from ValidPaths order by path", [])
    }

    /// The paths that a query gives.
    fn paths(&self, query: &str, parameters: impl rusqlite::Params) -> Result<Vec<StorePath>, Error> {
        let rows: Result<Vec<String>, _> = self
            .connection
            .prepare_cached(query)
            .and_then(|mut query| query.query_map(parameters, |row| row.get(0))?.collect());
        rows.map_err(self.failed())?.iter().map(|path| Ok(self.dir.parse(path)?)).collect()
    }

    pub(crate) fn check_integrity(&self) -> Result<Vec<String>, Error> {
        let mut query = self.connection.prepare("pragma integrity_check").map_err(self.failed())?;
        let rows = query.query_map([], |row| row.get::<_, String>(0)).map_err(self.failed())?;
        let lines: Result<Vec<String>, _> = rows.collect();
        Ok(lines.map_err(self.failed())?.into_iter().filter(|line| line != "ok").collect())
    }
}

/// One row as it stands in the table.
struct Raw {
    id: i64,
    path: String,
    hash: String,
    registered: i64,
    deriver: Option<String>,
    size: Option<i64>,
    ultimate: Option<bool>,
    signatures: Option<String>,
    content_address: Option<String>,
}

impl Raw {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            path: row.get(1)?,
            hash: row.get(2)?,
            registered: row.get(3)?,
            deriver: row.get(4)?,
            size: row.get(5)?,
            ultimate: row.get(6)?,
            signatures: row.get(7)?,
            content_address: row.get(8)?,
        })
    }
}
