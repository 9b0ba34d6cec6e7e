//! Realisations: which path an output that floats turned out to be.
//!
//! The tables exist only where somebody needed them; C++ Nix makes them under the same name of a migration.

use super::Database;
use crate::error::Error;
use nival_store_model::{Hash, StorePath};
use rusqlite::{OptionalExtension as _, TransactionBehavior, params};
use std::collections::BTreeSet;

const MIGRATION: &str = "20220326-ca-derivations";

const TABLES: &str = "
create table if not exists Realisations (
    id integer primary key autoincrement not null, drvPath text not null, outputName text not null,
    outputPath integer not null, signatures text,
    foreign key (outputPath) references ValidPaths(id) on delete cascade);
create index if not exists IndexRealisations on Realisations(drvPath, outputName);
create trigger if not exists DeleteSelfRefsViaRealisations before delete on ValidPaths
  begin
    delete from RealisationsRefs where realisationReference in (
      select id from Realisations where outputPath = old.id);
  end;
create table if not exists RealisationsRefs (
    referrer integer not null, realisationReference integer,
    foreign key (referrer) references Realisations(id) on delete cascade,
    foreign key (realisationReference) references Realisations(id) on delete restrict);
create index if not exists IndexRealisationsRefsRealisationReference on RealisationsRefs(realisationReference);
create index if not exists IndexRealisationsRefs on RealisationsRefs(referrer);
create index if not exists IndexRealisationsRefsOnOutputPath on Realisations(outputPath);
";

/// Which path an output turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realisation {
    /// The hash that stands for the derivation and this output; see `Derivation::output_hashes`.
    pub derivation: Hash,
    /// The output's name.
    pub output: String,
    /// The path.
    pub path: StorePath,
    /// Signatures of those who vouch for it.
    pub signatures: BTreeSet<String>,
}

impl Database {
    pub(crate) fn realisations_exist(&self) -> Result<bool, Error> {
        let mut query = self
            .connection
            .prepare_cached("select 1 from SchemaMigrations where migration = ?")
            .map_err(self.failed())?;
        query.exists([MIGRATION]).map_err(self.failed())
    }

    pub(crate) fn realisation(&self, derivation: &Hash, output: &str) -> Result<Option<Realisation>, Error> {
        if !self.realisations_exist()? {
            return Ok(None);
        }
        let found: Option<(String, Option<String>)> = self
            .connection
            .prepare_cached(
                "select v.path, r.signatures from Realisations r join ValidPaths v on v.id = r.outputPath
                 where r.drvPath = ? and r.outputName = ?",
            )
            .and_then(|mut query| {
                let parameters = params![derivation.prefixed_base16(), output];
                query.query_row(parameters, |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .map_err(self.failed())?;
        let Some((path, signatures)) = found else { return Ok(None) };
        Ok(Some(Realisation {
            derivation: derivation.clone(),
            output: output.to_owned(),
            path: self.dir.parse(&path)?,
            signatures: signatures.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        }))
    }

    /// Registers a realisation; another one that says the same gets its signatures.
    pub(crate) fn register_realisation(&mut self, new: &Realisation) -> Result<(), Error> {
        let failed = self.failed();
        if !self.realisations_exist()? {
            self.connection.execute_batch(TABLES).map_err(&failed)?;
            self.connection
                .execute("insert or ignore into SchemaMigrations values (?)", [MIGRATION])
                .map_err(&failed)?;
        }
        let old = self.realisation(&new.derivation, &new.output)?;
        let mut signatures = new.signatures.clone();
        if let Some(old) = &old {
            if old.path != new.path {
                return Err(Error::OtherRealisation {
                    output: format!("{}!{}", new.derivation.prefixed_base16(), new.output),
                    known: self.dir.print(&old.path),
                    new: self.dir.print(&new.path),
                });
            }
            signatures.extend(old.signatures.iter().cloned());
        }
        let Some(id) = self.id(&new.path)? else { return Err(Error::NotValid(self.dir.print(&new.path))) };
        let signatures: Vec<&str> = signatures.iter().map(String::as_str).collect();
        let (key, signatures) = (new.derivation.prefixed_base16(), signatures.join(" "));
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
        let written = if old.is_some() {
            transaction.execute(
                "update Realisations set signatures = ? where drvPath = ? and outputName = ?",
                params![signatures, key, new.output],
            )
        } else {
            transaction.execute(
                "insert into Realisations (drvPath, outputName, outputPath, signatures) values (?, ?, ?, ?)",
                params![key, new.output, id, signatures],
            )
        };
        written.map_err(&failed)?;
        transaction.commit().map_err(&failed)
    }
}
