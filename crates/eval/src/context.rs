//! String contexts: the store paths that a string refers to, interned.

use rustc_hash::FxHashMap;

/// What a string refers to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ContextElement {
    /// A store path.
    Plain(String),
    /// A derivation with everything it needs and yields.
    DrvDeep(String),
    /// An output of a derivation.
    Output {
        /// The derivation's store path.
        drv: String,
        /// The output's name.
        output: String,
    },
}

/// An interned set of [`ContextElement`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContextId(pub(crate) u32);

impl ContextId {
    /// No reference at all.
    pub const EMPTY: Self = Self(0);

    /// Whether there is no reference at all.
    pub fn is_empty(self) -> bool {
        self == Self::EMPTY
    }
}

/// All contexts that occurred.
pub(crate) struct Contexts {
    elements: Vec<ContextElement>,
    element_ids: FxHashMap<ContextElement, u32>,
    sets: Vec<Box<[u32]>>,
    set_ids: FxHashMap<Box<[u32]>, u32>,
    joins: FxHashMap<(u32, u32), u32>,
}

impl Contexts {
    pub(crate) fn new() -> Self {
        let empty: Box<[u32]> = Box::new([]);
        Self {
            elements: Vec::new(),
            element_ids: FxHashMap::default(),
            sets: vec![empty.clone()],
            set_ids: FxHashMap::from_iter([(empty, 0)]),
            joins: FxHashMap::default(),
        }
    }

    fn element(&mut self, element: &ContextElement) -> u32 {
        if let Some(id) = self.element_ids.get(element) {
            return *id;
        }
        let id = self.elements.len() as u32;
        self.elements.push(element.clone());
        self.element_ids.insert(element.clone(), id);
        id
    }

    fn set(&mut self, mut ids: Vec<u32>) -> ContextId {
        ids.sort_unstable();
        ids.dedup();
        let ids: Box<[u32]> = ids.into();
        if let Some(id) = self.set_ids.get(&ids) {
            return ContextId(*id);
        }
        let id = self.sets.len() as u32;
        self.sets.push(ids.clone());
        self.set_ids.insert(ids, id);
        ContextId(id)
    }

    pub(crate) fn of(&mut self, elements: &[ContextElement]) -> ContextId {
        if elements.is_empty() {
            return ContextId::EMPTY;
        }
        let ids = elements.iter().map(|element| self.element(element)).collect();
        self.set(ids)
    }

    /// The elements in their order (not that of their first occurrence).
    pub(crate) fn elements(&self, id: ContextId) -> Vec<ContextElement> {
        let ids = self.sets.get(id.0 as usize).map_or(&[][..], |ids| ids);
        let mut all: Vec<ContextElement> = ids.iter().map(|id| self.elements[*id as usize].clone()).collect();
        all.sort();
        all
    }

    pub(crate) fn join(&mut self, a: ContextId, b: ContextId) -> ContextId {
        if a == b || b.is_empty() {
            return a;
        }
        if a.is_empty() {
            return b;
        }
        let key = (a.0.min(b.0), a.0.max(b.0));
        if let Some(id) = self.joins.get(&key) {
            return ContextId(*id);
        }
        let ids = self.sets[a.0 as usize].iter().chain(self.sets[b.0 as usize].iter()).copied().collect();
        let joined = self.set(ids);
        self.joins.insert(key, joined.0);
        joined
    }
}
