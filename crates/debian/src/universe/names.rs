//! The names of packages, numbered in the order of their first mention.

use super::PackageId;
use rustc_hash::FxHashMap;

/// Names with what stands behind their colon; most have nothing there.
#[derive(Debug, Default)]
pub(super) struct Names<'t> {
    plain: FxHashMap<&'t str, PackageId>,
    qualified: FxHashMap<(&'t str, &'t str), PackageId>,
    all: Vec<(&'t str, &'t str)>,
}

impl<'t> Names<'t> {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self {
            plain: FxHashMap::with_capacity_and_hasher(capacity, rustc_hash::FxBuildHasher),
            qualified: FxHashMap::default(),
            all: Vec::with_capacity(capacity),
        }
    }

    pub(super) fn find(&self, name: &str, qualifier: &str) -> Option<PackageId> {
        if qualifier.is_empty() { self.plain.get(name) } else { self.qualified.get(&(name, qualifier)) }
            .copied()
    }

    /// Finds a name, or gives it the next number; true where it is new.
    pub(super) fn number(&mut self, name: &'t str, qualifier: &'t str) -> (PackageId, bool) {
        let next = PackageId(self.all.len() as u32);
        let id = if qualifier.is_empty() {
            *self.plain.entry(name).or_insert(next)
        } else {
            *self.qualified.entry((name, qualifier)).or_insert(next)
        };
        if id == next {
            self.all.push((name, qualifier));
        }
        (id, id == next)
    }

    pub(super) fn get(&self, id: PackageId) -> (&'t str, &'t str) {
        self.all[id.0 as usize]
    }
}
