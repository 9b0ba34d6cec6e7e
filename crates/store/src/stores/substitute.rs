//! Bringing paths from caches in place of building them.
//!
//! Each path is taken from the first store, by priority, that has it with a signature that counts; where that one
//! fails, from the next.

use super::copy::needs;
use super::{Store, Trust, references_first, schedule};
use crate::error::Error;
use crate::remote_error::RemoteError;
use crate::{LocalStore, PathInfo};
use nival_store_model::StorePath;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where paths may be brought from.
#[derive(Clone, Default)]
pub struct Substituters {
    /// The stores, first asked first.
    stores: Vec<(Arc<dyn Store>, i64)>,
    /// Whose signatures count.
    trust: Trust,
    /// How many are brought at the same time.
    jobs: usize,
}

/// A path that can be brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substitutable {
    /// What is said of it.
    pub info: PathInfo,
    /// Bytes to be downloaded; the archive's own where the store does not say.
    pub download_size: u64,
    /// The store that has it.
    pub url: String,
    at: usize,
}

/// What would have to be brought.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What can be brought.
    pub found: BTreeMap<StorePath, Substitutable>,
    /// What no store has, with what was wrong with each.
    pub missing: BTreeMap<StorePath, Vec<String>>,
}

/// What became of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was brought, so many bytes of archive.
    Brought(u64),
    /// It was there.
    Valid,
}

impl Plan {
    /// Bytes to be downloaded.
    pub fn download_size(&self) -> u64 {
        self.found.values().map(|found| found.download_size).sum()
    }

    /// What cannot be brought: no store has it, or something that it refers to, near or far.
    pub fn lacking(&self) -> BTreeSet<StorePath> {
        let mut referrers: BTreeMap<&StorePath, Vec<&StorePath>> = BTreeMap::new();
        for (path, found) in &self.found {
            for reference in &found.info.references {
                referrers.entry(reference).or_default().push(path);
            }
        }
        let mut lacking: BTreeSet<StorePath> = self.missing.keys().cloned().collect();
        let mut todo: Vec<&StorePath> = self.missing.keys().collect();
        while let Some(path) = todo.pop() {
            for referrer in referrers.get(path).into_iter().flatten() {
                if lacking.insert((*referrer).clone()) {
                    todo.push(referrer);
                }
            }
        }
        lacking
    }

    /// Bytes of the archives.
    pub fn nar_size(&self) -> u64 {
        self.found.values().map(|found| found.info.nar_size).sum()
    }
}

impl Substituters {
    /// Stores with their priorities; smaller ones are asked first.
    pub fn new(mut stores: Vec<(Arc<dyn Store>, i64)>, trust: Trust, jobs: usize) -> Self {
        stores.sort_by_key(|(_, priority)| *priority);
        Self { stores, trust, jobs: jobs.max(1) }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.stores.is_empty()
    }

    /// The stores in the order in which they are asked.
    pub fn stores(&self) -> impl Iterator<Item = &Arc<dyn Store>> {
        self.stores.iter().map(|(store, _)| store)
    }

    /// The first store that has a path, and what was wrong with those before.
    pub fn find(&self, path: &StorePath) -> (Option<Substitutable>, Vec<String>) {
        self.find_from(path, 0)
    }

    fn find_from(&self, path: &StorePath, first: usize) -> (Option<Substitutable>, Vec<String>) {
        let mut causes = Vec::new();
        for (at, (store, _)) in self.stores.iter().enumerate().skip(first) {
            match store.info(path) {
                Ok(None) => causes.push(format!("{} does not have it", store.url())),
                Err(error) => causes.push(error.to_string()),
                Ok(Some(info)) if store.is_trusted() || self.trust.accepts(store.dir(), &info) => {
                    let download = store.download_of(path).ok().flatten().map(|download| download.size);
                    let download_size = download.filter(|size| *size > 0).unwrap_or(info.nar_size);
                    let found = Substitutable { info, download_size, url: store.url(), at };
                    return (Some(found), causes);
                }
                Ok(Some(_)) => {
                    let (url, path) = (store.url(), store.dir().print(path));
                    causes.push(RemoteError::Untrusted { url, path }.to_string());
                }
            }
        }
        (None, causes)
    }

    /// What would have to be brought for paths and all that they refer to.
    ///
    /// # Errors
    /// Those of the own store.
    pub fn plan(&self, store: &LocalStore, paths: &[StorePath]) -> Result<Plan, Error> {
        let mut plan = Plan::default();
        let mut seen: BTreeSet<StorePath> = BTreeSet::new();
        let mut next: Vec<StorePath> = paths.to_vec();
        let threads = self.stores().map(|store| store.parallel()).max().unwrap_or(1);
        while !next.is_empty() {
            let mut wave = Vec::new();
            for path in std::mem::take(&mut next) {
                if seen.insert(path.clone()) && !store.is_valid(&path)? {
                    wave.push(path);
                }
            }
            let found = schedule::map(&wave, threads, |path| self.find(path));
            for (path, (found, causes)) in wave.into_iter().zip(found) {
                match found {
                    Some(found) => {
                        next.extend(found.info.references.iter().cloned());
                        plan.found.insert(path, found);
                    }
                    None => drop(plan.missing.insert(path, causes)),
                }
            }
        }
        Ok(plan)
    }

    /// Brings paths and all that they refer to. `begin` is told each before it comes.
    ///
    /// # Errors
    /// [`RemoteError::Missing`] where one cannot be had; what came before stays.
    pub fn bring(
        &self,
        store: &LocalStore,
        paths: &[StorePath],
        begin: &(dyn Fn(&Substitutable) + Sync),
    ) -> Result<BTreeMap<StorePath, Outcome>, Error> {
        self.bring_telling(store, paths, begin, &|_| {})
    }

    /// As [`Self::bring`]; `done` is told each path that has come.
    ///
    /// # Errors
    /// As [`Self::bring`].
    pub fn bring_telling(
        &self,
        store: &LocalStore,
        paths: &[StorePath],
        begin: &(dyn Fn(&Substitutable) + Sync),
        done: &(dyn Fn(&StorePath) + Sync),
    ) -> Result<BTreeMap<StorePath, Outcome>, Error> {
        for path in paths {
            store.temp_root(path)?;
        }
        let plan = self.plan(store, paths)?;
        if let Some((path, causes)) = plan.missing.first_key_value() {
            let (path, causes) = (store.dir().print(path), causes.clone());
            return Err(RemoteError::Missing { path, causes }.into());
        }
        self.carry_out(store, &plan, begin, done)?;
        let outcome = |path: &StorePath| match plan.found.get(path) {
            Some(found) => Outcome::Brought(found.info.nar_size),
            None => Outcome::Valid,
        };
        let brought = plan.found.keys().map(|path| (path.clone(), outcome(path)));
        Ok(brought.chain(paths.iter().map(|path| (path.clone(), outcome(path)))).collect())
    }

    /// Brings what a plan found.
    ///
    /// # Errors
    /// As [`Self::bring`].
    pub fn carry_out(
        &self,
        store: &LocalStore,
        plan: &Plan,
        begin: &(dyn Fn(&Substitutable) + Sync),
        done: &(dyn Fn(&StorePath) + Sync),
    ) -> Result<(), Error> {
        let infos: BTreeMap<_, _> =
            plan.found.iter().map(|(path, found)| (path.clone(), found.info.clone())).collect();
        let order = references_first(&infos);
        let needs = needs(&order, &infos);
        schedule::run(&needs, self.jobs, |at| {
            let Some(found) = plan.found.get(&order[at]) else { return Ok(()) };
            begin(found);
            self.fetch(store, found)?;
            done(&order[at]);
            Ok(())
        })
    }

    /// Brings one path whose references are there; from the next store where one fails.
    fn fetch(&self, store: &LocalStore, found: &Substitutable) -> Result<(), Error> {
        let mut next = Some(found.clone());
        let mut causes = Vec::new();
        while let Some(found) = next {
            match self.fetch_from(store, &found) {
                Ok(()) => return Ok(()),
                Err(error) if is_own(&error) || self.stores.len() == found.at + 1 && causes.is_empty() => {
                    return Err(error);
                }
                Err(error) => causes.push(error.to_string()),
            }
            let (other, more) = self.find_from(&found.info.path, found.at + 1);
            causes.extend(more);
            next = other;
        }
        Err(RemoteError::Missing { path: store.dir().print(&found.info.path), causes }.into())
    }

    fn fetch_from(&self, store: &LocalStore, found: &Substitutable) -> Result<(), Error> {
        let Some((from, _)) = self.stores.get(found.at) else { return Ok(()) };
        let trust = if from.is_trusted() { &Trust::everything() } else { &self.trust };
        store.temp_root(&found.info.path)?;
        if store.is_valid(&found.info.path)? {
            return Ok(());
        }
        Store::add(store, &found.info, &mut from.nar(&found.info.path)?, trust, &from.url())
    }
}

/// Whether an error is of this machine, so that another store would not help.
fn is_own(error: &Error) -> bool {
    match error {
        Error::Remote(error) => {
            matches!(**error, RemoteError::Transport(nival_transport::Error::Cancelled))
        }
        Error::Archive(_) => false,
        Error::Io { error, .. } => error.kind() == std::io::ErrorKind::StorageFull,
        _ => true,
    }
}
