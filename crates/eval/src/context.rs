//! String contexts: the store paths that a string refers to, interned.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

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

/// Contexts that a text gathers while it is made. They are joined once, at its end: each
/// union that is interned stays for good.
#[derive(Default)]
pub(crate) struct Gathered(SmallVec<[ContextId; 4]>);

impl Gathered {
    pub(crate) fn of(context: ContextId) -> Self {
        let mut gathered = Self::default();
        gathered.add(context);
        gathered
    }

    #[inline]
    pub(crate) fn add(&mut self, context: ContextId) {
        if !context.is_empty() && !self.0.contains(&context) {
            self.0.push(context);
        }
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

    /// The union of what was gathered.
    pub(crate) fn gather(&mut self, gathered: &Gathered) -> ContextId {
        match gathered.0.as_slice() {
            [] => ContextId::EMPTY,
            [only] => *only,
            _ => {
                let ids = gathered.0.iter().flat_map(|id| self.sets[id.0 as usize].iter().copied()).collect();
                self.set(ids)
            }
        }
    }

    /// The elements of what was gathered, each once, without interning their union.
    pub(crate) fn gathered_elements(&self, gathered: &Gathered) -> Vec<ContextElement> {
        let mut ids: Vec<u32> =
            gathered.0.iter().flat_map(|id| self.sets[id.0 as usize].iter().copied()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().map(|id| self.elements[id as usize].clone()).collect()
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
