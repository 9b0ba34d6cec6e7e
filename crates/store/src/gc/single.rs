//! Deleting paths that somebody names, if nothing needs them.

use super::server::{Server, Shared};
use super::{Alive, DeleteOptions, GcEvent, GcResult, Root, RootSource};
use crate::LocalStore;
use crate::error::{Doing as _, Error};
use crate::local::Follow;
use nival_store_model::StorePath;
use nival_sys::fs::removal::Trees;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::sync::Arc;

impl LocalStore {
    /// Deletes paths; all of them or, where one is needed, none.
    ///
    /// # Errors
    /// [`Error::StillAlive`], [`Error::Io`], [`Error::Database`].
    pub fn delete_paths(
        &self,
        paths: &[StorePath],
        options: DeleteOptions,
        report: &mut dyn FnMut(GcEvent<'_>),
    ) -> Result<GcResult, Error> {
        let _lock = self.lock_collector(report)?;
        let shared = Arc::new(Shared::default());
        let _server = Server::start(&self.state().join("gc-socket/socket"), self.dir(), &shared)?;
        report(GcEvent::FindingRoots);
        let mut roots = BTreeMap::new();
        // Temporary ones first: a program that ends makes its lasting roots before.
        for (path, process) in self.temporary_roots_of_all(report)? {
            shared.add([path.hash_part().to_owned()]);
            roots.entry(path.clone()).or_insert(Root { path, source: RootSource::Temporary(process) });
        }
        if !options.ignore_liveness {
            for root in self.lasting_roots(report)? {
                roots.insert(root.path.clone(), root);
            }
        }
        let wanted: BTreeSet<_> = paths.iter().cloned().collect();
        for path in &wanted {
            if let Some(reason) = self.needed_by(path, &wanted, &roots, options)? {
                return Err(Error::StillAlive {
                    path: self.dir().print(path),
                    reason: self.tell(path, &reason),
                });
            }
        }
        let mut order = self.sorted_by_references(paths)?;
        order.reverse();
        let hash_parts: Vec<_> = order.iter().map(|path| path.hash_part().to_owned()).collect();
        let late = shared
            .condemn(|new, _| (new.into_iter().find(|new| hash_parts.contains(new)), hash_parts.clone()));
        let result = match late.and_then(|part| order.iter().find(|path| path.hash_part() == part)) {
            Some(path) => Err(Error::StillAlive {
                path: self.dir().print(path),
                reason: "a program at work has just asked for it".to_owned(),
            }),
            None => self.delete_in_order(&order, report),
        };
        shared.release(hash_parts.iter().map(String::as_str));
        let mut result = result?;
        result.shared = self.remove_unused_links()?;
        Ok(result)
    }

    fn delete_in_order(
        &self,
        order: &[StorePath],
        report: &mut dyn FnMut(GcEvent<'_>),
    ) -> Result<GcResult, Error> {
        let folder = &self.config().physical;
        let trees = Trees::open(folder).doing(|| format!("open `{}`", folder.display()))?;
        let mut result = GcResult::default();
        for path in order {
            self.invalidate(path)?;
        }
        self.sync_database()?;
        for path in order {
            report(GcEvent::Deleting(path.base_name()));
            result.bytes +=
                trees.remove(OsStr::new(path.base_name())).doing(|| format!("remove `{path}`"))?;
            result.names.push(path.base_name().to_owned());
        }
        Ok(result)
    }

    /// Why a path cannot go: a root, or a path that is not to go as well.
    fn needed_by(
        &self,
        path: &StorePath,
        wanted: &BTreeSet<StorePath>,
        roots: &BTreeMap<StorePath, Root>,
        options: DeleteOptions,
    ) -> Result<Option<Alive>, Error> {
        if let Some(root) = roots.get(path) {
            return Ok(Some(Alive::Root(root.clone())));
        }
        if !self.is_valid(path)? {
            return Ok(None);
        }
        let settings = &self.config().settings;
        let keep = !options.ignore_liveness;
        let follow = Follow {
            referrers: true,
            outputs: keep && settings.keep_outputs,
            derivers: keep && settings.keep_derivations,
        };
        let all = self.closure_with(std::slice::from_ref(path), follow)?;
        if let Some(root) = all.iter().find_map(|path| roots.get(path)) {
            return Ok(Some(Alive::Root(root.clone())));
        }
        Ok(all.into_iter().find(|other| !wanted.contains(other)).map(Alive::Needed))
    }

    fn tell(&self, path: &StorePath, reason: &Alive) -> String {
        match reason {
            Alive::Root(root) if root.path == *path => format!("it is a root: {}", root.source),
            Alive::Root(root) => {
                format!("`{}` needs it, which is a root: {}", self.dir().print(&root.path), root.source)
            }
            Alive::Needed(other) => format!("`{}` needs it", self.dir().print(other)),
        }
    }
}
