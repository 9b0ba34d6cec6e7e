//! One collection from beginning to end.

use super::graph::{Graph, Keep};
use super::remove::{Batch, Remover};
use super::server::{Server, Shared};
use super::{GcAction, GcEvent, GcOptions, GcResult};
use crate::LocalStore;
use crate::error::{Doing as _, Error};
use nival_store_model::StorePath;
use nival_sys::fs as sys;
use nival_sys::lock::{self, Kind};
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::Arc;

/// How many paths are taken out of the database in one transaction.
const MANY: usize = 4096;
/// How many where it is asked after each of them whether enough is free.
const FEW: usize = 1;

impl LocalStore {
    /// Collects garbage, or says what is alive or dead.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Database`].
    pub fn collect_garbage(
        &self,
        options: &GcOptions,
        report: &mut dyn FnMut(GcEvent<'_>),
    ) -> Result<GcResult, Error> {
        if options.action == GcAction::Delete {
            // SQLite needs room for its log, also on a full disk.
            let _ = sys::remove_file(&self.state().join("db/reserved"));
        }
        let _lock = self.lock_collector(report)?;
        pause(options.pauses[0].as_ref())?;
        let shared = Arc::new(Shared::default());
        let server = Server::start(&self.state().join("gc-socket/socket"), self.dir(), &shared)?;
        report(GcEvent::FindingRoots);
        // Temporary ones first: a program that ends makes its lasting roots before.
        let temporary = self.temporary_roots_of_all(report)?;
        let mut roots = options.roots.clone();
        roots.extend(self.lasting_roots(report)?);
        shared.add(temporary.iter().map(|(path, _)| path.hash_part().to_owned()));
        pause(options.pauses[1].as_ref())?;
        let settings = &self.config().settings;
        let keep = Keep { outputs: settings.keep_outputs, derivations: settings.keep_derivations };
        let graph = Graph::read(self, keep)?;
        let mut alive = vec![false; graph.len() as usize];
        let rooted = roots.iter().map(|root| &root.path).chain(temporary.iter().map(|(path, _)| path));
        for path in rooted {
            if let Some(index) = graph.find_hash_part(path.hash_part()) {
                graph.mark(index, &mut alive);
            }
        }
        let mut collection = Collection { store: self, graph, alive, shared, result: GcResult::default() };
        report(GcEvent::Begin(&options.action));
        match options.action {
            GcAction::Live => collection.list_live(),
            GcAction::Dead => collection.list_dead()?,
            GcAction::Delete => collection.delete(options.max_freed, report)?,
        }
        drop(server);
        let _ = sys::remove_file(&self.state().join("gc-socket/socket"));
        if options.action == GcAction::Delete {
            self.reserve_space();
        }
        Ok(collection.result)
    }

    /// Takes the lock that only one collector has.
    pub(super) fn lock_collector(&self, report: &mut dyn FnMut(GcEvent<'_>)) -> Result<File, Error> {
        let path = self.state().join("gc.lock");
        let doing = || format!("lock `{}`", path.display());
        let file = sys::open_private(&path).doing(doing)?;
        if !lock::take(&file, Kind::Exclusive, false).doing(doing)? {
            report(GcEvent::Waiting);
            lock::take(&file, Kind::Exclusive, true).doing(doing)?;
        }
        Ok(file)
    }

    /// Removes those links of equal files that have become the only name; gives the bytes that the others save.
    pub(super) fn remove_unused_links(&self) -> Result<u64, Error> {
        let links = self.links();
        let doing = || format!("clean `{}`", links.display());
        if !links.exists() {
            return Ok(0);
        }
        let (mut actual, mut unshared) = (0u64, 0u64);
        let folder = sys::removal::Trees::open(&links).doing(doing)?;
        let kept = |size: u64, names: u64| {
            actual += size;
            unshared += size * (names - 1);
        };
        folder.remove_single(kept).doing(doing)?;
        Ok(unshared.saturating_sub(actual))
    }
}

/// Reads a file to its end, which a test keeps open.
fn pause(file: Option<&PathBuf>) -> Result<(), Error> {
    file.map_or(Ok(()), |file| {
        std::fs::read(file).map(drop).doing(|| format!("wait for `{}`", file.display()))
    })
}

struct Collection<'a> {
    store: &'a LocalStore,
    graph: Graph,
    alive: Vec<bool>,
    shared: Arc<Shared>,
    result: GcResult,
}

impl Collection<'_> {
    fn list_live(&mut self) {
        for index in (0..self.graph.len()).filter(|index| self.alive[*index as usize]) {
            self.result.names.push(self.graph.name(index).to_owned());
        }
    }

    fn list_dead(&mut self) -> Result<(), Error> {
        for index in (0..self.graph.len()).filter(|index| !self.alive[*index as usize]) {
            self.result.names.push(self.graph.name(index).to_owned());
        }
        let strays = self.strays()?;
        let of_paths = strays.into_iter().filter(|name| StorePath::parse(name).is_ok());
        self.result.names.extend(of_paths);
        Ok(())
    }

    /// Entries of the store's folder that are no valid paths, and that no program at work has to do with.
    fn strays(&self) -> Result<Vec<String>, Error> {
        let folder = &self.store.config().physical;
        let doing = || format!("read `{}`", folder.display());
        let mut strays = Vec::new();
        for entry in folder.read_dir().doing(doing)? {
            let name = entry.doing(doing)?.file_name();
            if name == ".links" || self.graph.find(name.as_bytes()).is_some() {
                continue;
            }
            let name = name.to_string_lossy().into_owned();
            let is_root = StorePath::parse(&name).is_ok_and(|path| self.shared.is_root(path.hash_part()));
            let is_made = name.starts_with("tmp-") && is_locked(&folder.join(&name));
            if !is_root && !is_made {
                strays.push(name);
            }
        }
        Ok(strays)
    }

    fn delete(&mut self, max_freed: Option<u64>, report: &mut dyn FnMut(GcEvent<'_>)) -> Result<(), Error> {
        if max_freed == Some(0) {
            return Ok(());
        }
        let strays = self.strays()?;
        let remover = Remover::start(&self.store.config().physical, &self.shared)?;
        let order = self.graph.dead_in_order(&self.alive);
        let size = if max_freed.is_some() { FEW } else { MANY };
        let mut next = 0;
        let mut enough = false;
        let mut strays = strays.chunks(size);
        loop {
            let batch = if next < order.len() {
                let batch = self.condemn(&order, &mut next, size)?;
                Some(Batch { names: batch })
            } else {
                strays.next().map(|names| Batch { names: self.still_strays(names) })
            };
            let Some(batch) = batch else { break };
            for name in &batch.names {
                report(GcEvent::Deleting(name));
            }
            self.result.names.extend(batch.names.iter().cloned());
            remover.remove(batch, max_freed.is_some())?;
            if max_freed.is_some_and(|limit| remover.freed() > limit) {
                enough = true;
                break;
            }
        }
        self.result.bytes = remover.finish()?;
        if enough {
            report(GcEvent::Enough(max_freed.unwrap_or(0)));
        }
        report(GcEvent::UnusedLinks);
        self.result.shared = self.store.remove_unused_links()?;
        Ok(())
    }

    /// Chooses the next dead paths with nobody in between who could need them, and takes them out of the database.
    fn condemn(&mut self, order: &[u32], next: &mut usize, size: usize) -> Result<Vec<String>, Error> {
        let (graph, alive, shared) = (&self.graph, &mut self.alive, &self.shared);
        let chosen = shared.condemn(|new, _| {
            for hash_part in new {
                if let Some(index) = graph.find_hash_part(&hash_part) {
                    graph.mark(index, alive);
                }
            }
            let mut chosen = Vec::with_capacity(size);
            while chosen.len() < size && *next < order.len() {
                let index = order[*next];
                *next += 1;
                if !alive[index as usize] {
                    chosen.push(index);
                }
            }
            let parts = chosen.iter().filter_map(|index| graph.name(*index).get(..32)).map(str::to_owned);
            let parts = parts.collect();
            (chosen, parts)
        });
        let ids: Vec<i64> = chosen.iter().map(|index| graph.id(*index)).collect();
        let names: Vec<String> = chosen.iter().map(|index| graph.name(*index).to_owned()).collect();
        let taken = self.store.database(|database| database.take_out(&ids));
        // What the database still knows must not be gone after a crash.
        let taken = taken.and_then(|()| self.store.sync_database());
        if taken.is_err() {
            shared.release(names.iter().filter_map(|name| name.get(..32)));
        }
        taken.map(|()| names)
    }

    /// Those of some entries that no program has come to need meanwhile; they are condemned.
    fn still_strays(&self, names: &[String]) -> Vec<String> {
        self.shared.condemn(|_, roots| {
            let is_needed =
                |name: &&String| StorePath::parse(name).is_ok_and(|path| roots.contains(path.hash_part()));
            let strays: Vec<String> = names.iter().filter(|name| !is_needed(name)).cloned().collect();
            let parts = strays.iter().filter_map(|name| name.get(..32)).map(str::to_owned).collect();
            (strays, parts)
        })
    }
}

/// Whether somebody holds the lock of a folder.
fn is_locked(folder: &std::path::Path) -> bool {
    File::open(folder).is_ok_and(|open| !lock::take(&open, Kind::Exclusive, false).unwrap_or(true))
}
