//! Removing the files of dead paths on two threads, while the next ones are taken out of the database.

use super::server::Shared;
use crate::database::Database;
use crate::error::{Doing as _, Error};
use nival_sys::fs::removal::Trees;
use rusqlite::TransactionBehavior;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Names to be removed together.
pub(super) struct Batch {
    pub(super) names: Vec<String>,
}

/// The threads that remove.
pub(super) struct Remover {
    sender: Option<SyncSender<Batch>>,
    threads: Vec<JoinHandle<()>>,
    trees: Arc<Trees>,
    shared: Arc<Shared>,
    outcome: Arc<Outcome>,
}

#[derive(Default)]
struct Outcome {
    freed: AtomicU64,
    error: Mutex<Option<Error>>,
}

impl Remover {
    pub(super) fn start(folder: &Path, shared: &Arc<Shared>) -> Result<Self, Error> {
        let trees = Trees::open(folder).doing(|| format!("open `{}`", folder.display()))?;
        let (trees, outcome) = (Arc::new(trees), Arc::new(Outcome::default()));
        let (sender, receiver) = sync_channel::<Batch>(2);
        let receiver = Arc::new(Mutex::new(receiver));
        let threads = (0..2)
            .map(|_| {
                let (receiver, trees) = (Arc::clone(&receiver), Arc::clone(&trees));
                let (outcome, shared) = (Arc::clone(&outcome), Arc::clone(shared));
                std::thread::spawn(move || {
                    loop {
                        let batch = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        let Ok(batch) = batch else { return };
                        outcome.remove(&batch, &trees, &shared);
                    }
                })
            })
            .collect();
        Ok(Self { sender: Some(sender), threads, trees, shared: Arc::clone(shared), outcome })
    }

    /// Removes a batch: before this returns, where that is asked for.
    pub(super) fn remove(&self, batch: Batch, now: bool) -> Result<(), Error> {
        if now {
            self.outcome.remove(&batch, &self.trees, &self.shared);
        } else if let Some(sender) = &self.sender {
            // The threads live as long as the sender.
            let _ = sender.send(batch);
        }
        self.outcome.result()
    }

    /// Bytes that are free now.
    pub(super) fn freed(&self) -> u64 {
        self.outcome.freed.load(Ordering::Relaxed)
    }

    /// Waits for the threads.
    pub(super) fn finish(mut self) -> Result<u64, Error> {
        self.stop();
        self.outcome.result()?;
        Ok(self.freed())
    }

    fn stop(&mut self) {
        self.sender = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Remover {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Outcome {
    fn remove(&self, batch: &Batch, trees: &Trees, shared: &Shared) {
        for name in &batch.names {
            match trees.remove(OsStr::new(name)) {
                Ok(bytes) => {
                    self.freed.fetch_add(bytes, Ordering::Relaxed);
                }
                Err(error) => {
                    let mut first = self.error.lock().unwrap_or_else(PoisonError::into_inner);
                    first.get_or_insert(Error::Io { doing: format!("remove `{name}`"), error });
                }
            }
        }
        shared.release(batch.names.iter().filter_map(|name| name.get(..32)));
    }

    fn result(&self) -> Result<(), Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}

impl Database {
    /// Takes paths out by their numbers, in one transaction. That nobody else refers to them is checked.
    pub(super) fn take_out(&mut self, ids: &[i64]) -> Result<(), Error> {
        let failed = self.failed();
        // Looking after each row's references would cost more than all the rest; it is done here, once for each path.
        self.connection.execute_batch("pragma foreign_keys = 0").map_err(&failed)?;
        let result = self.take_out_unchecked(ids);
        self.connection.execute_batch("pragma foreign_keys = 1").map_err(&failed)?;
        result
    }

    fn take_out_unchecked(&mut self, ids: &[i64]) -> Result<(), Error> {
        let failed = self.failed();
        let realisations = self.realisations_exist()?;
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
        let mut statements =
            vec!["delete from Refs where referrer = ?", "delete from DerivationOutputs where drv = ?"];
        if realisations {
            statements.push(
                "delete from RealisationsRefs where referrer in (select id from Realisations where outputPath = ?1)
                 or realisationReference in (select id from Realisations where outputPath = ?1)",
            );
            statements.push("delete from Realisations where outputPath = ?");
        }
        let run = |statement: &str| -> rusqlite::Result<()> {
            let mut statement = transaction.prepare_cached(statement)?;
            ids.iter().try_for_each(|id| statement.execute([id]).map(drop))
        };
        for statement in statements {
            run(statement).map_err(&failed)?;
        }
        {
            let mut referrer = transaction
                .prepare_cached(
                    "select a.path, b.path from Refs join ValidPaths a on a.id = reference
                     join ValidPaths b on b.id = referrer where reference = ?",
                )
                .map_err(&failed)?;
            for id in ids {
                let mut rows = referrer.query([id]).map_err(&failed)?;
                if let Some(row) = rows.next().map_err(&failed)? {
                    let (path, by): (String, String) =
                        row.get(0).and_then(|path| Ok((path, row.get(1)?))).map_err(&failed)?;
                    return Err(Error::InUse { path, by: vec![by] });
                }
            }
        }
        run("delete from ValidPaths where id = ?").map_err(&failed)?;
        transaction.commit().map_err(&failed)
    }
}
