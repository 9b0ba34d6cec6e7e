//! Derivations that were added and not written yet: those of one evaluation go to the disk together, with one wait for
//! it, one question to the database and one transaction.
//!
//! Whoever asks the database writes them first, so that no question of this process can miss one.

use super::{LocalStore, PathInfo};
use crate::database::Outputs;
use crate::error::Error;
use nival_store_model::{ContentAddress, Derivation, DerivationFile, Hash, StorePath, nar};
use std::collections::HashSet;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// More are not kept waiting: each has a file that is open while they are written.
const MOST: usize = 800;
/// More bytes are not kept waiting.
const MOST_BYTES: usize = 16 << 20;

/// Derivations that wait, each behind those that it refers to.
#[derive(Default)]
pub(super) struct Pending {
    waiting: Vec<Waiting>,
    paths: HashSet<StorePath>,
    bytes: usize,
}

struct Waiting {
    file: DerivationFile,
    outputs: Vec<(String, StorePath)>,
}

impl Waiting {
    fn info(&self) -> PathInfo {
        let archive = nar::of_file(false, &self.file.text);
        PathInfo {
            references: self.file.references.clone(),
            content_address: Some(ContentAddress::text(self.file.hash.clone())),
            ..PathInfo::new(self.file.path.clone(), Hash::sha256(&archive), archive.len() as u64)
        }
    }
}

impl LocalStore {
    /// Adds a derivation, which is written before anything is asked of the store, and by [`Self::write_pending`] at the
    /// latest.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn add_derivation_soon(&self, file: DerivationFile, derivation: &Derivation) -> Result<(), Error> {
        let outputs = self.known_outputs(derivation)?;
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.paths.insert(file.path.clone()) {
            pending.bytes += file.text.len();
            pending.waiting.push(Waiting { file, outputs });
            self.is_pending.store(true, Ordering::Release);
        }
        let is_full = pending.waiting.len() >= MOST || pending.bytes >= MOST_BYTES;
        drop(pending);
        if is_full {
            self.write_pending()?;
        }
        Ok(())
    }

    /// Writes and registers the derivations that wait. Where that fails they go on waiting, and whoever asks next is told
    /// again.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn write_pending(&self) -> Result<(), Error> {
        if !self.is_pending.load(Ordering::Acquire) {
            return Ok(());
        }
        // Held to the end: another thread's question waits for what this one writes.
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if !pending.waiting.is_empty() {
            self.write_all(&pending.waiting)?;
            *pending = Pending::default();
        }
        self.is_pending.store(false, Ordering::Release);
        Ok(())
    }

    fn write_all(&self, waiting: &[Waiting]) -> Result<(), Error> {
        let paths: Vec<StorePath> = waiting.iter().map(|one| one.file.path.clone()).collect();
        self.temp_roots(&paths)?;
        let missing: Vec<StorePath> = self.missing_now(&paths)?;
        if missing.is_empty() {
            return Ok(());
        }
        nival_sys::process::allow_many_files();
        let locks = self.wait_for_locks(&missing)?;
        // Somebody else may have written some of them before their locks were given.
        let missing: HashSet<StorePath> = self.missing_now(&missing)?.into_iter().collect();
        let (mut infos, mut outputs) = (Vec::new(), Outputs::new());
        for one in waiting.iter().filter(|one| missing.contains(&one.file.path)) {
            let path = &one.file.path;
            let staged = self.stage_file(path, &one.file.text)?;
            self.move_in(&staged, path)?;
            infos.push(one.info());
            outputs.insert(path.clone(), one.outputs.clone());
        }
        self.added(&infos)?;
        self.sync_before_registering()?;
        self.opened()?.database.register(&infos, &outputs, super::now())?;
        locks.finish();
        Ok(())
    }

    fn missing_now(&self, paths: &[StorePath]) -> Result<Vec<StorePath>, Error> {
        let valid = self.opened()?.database.are_valid(paths)?;
        Ok(paths.iter().zip(valid).filter(|(_, is_valid)| !is_valid).map(|(path, _)| path.clone()).collect())
    }

    /// Those of some paths that are registered.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn valid_of(&self, paths: &[StorePath]) -> Result<HashSet<StorePath>, Error> {
        let valid = self.database(|database| database.are_valid(paths))?;
        Ok(paths.iter().zip(valid).filter(|(_, is_valid)| *is_valid).map(|(path, _)| path.clone()).collect())
    }
}
