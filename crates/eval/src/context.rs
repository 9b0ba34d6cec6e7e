//! String contexts: the store paths that a string refers to, interned.

use hashbrown::HashTable;
use nival_store_model::{StoreDir, StorePath, StorePathError};
use nival_syntax::{Interner, Symbol};
use rustc_hash::{FxHashMap, FxHasher};
use smallvec::SmallVec;
use std::hash::Hasher;

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

/// What an element is beside its path; more than these: the symbol of an output, from [`OUTPUTS`] on.
const PLAIN: u32 = 0;
const DEEP: u32 = 1;
const OUTPUTS: u32 = 2;

/// All contexts that occurred. There can be tens of thousands of each kind, so all texts are kept once, and sets lie one
/// behind the other.
pub(crate) struct Contexts {
    /// Paths, and names of outputs.
    names: Interner,
    /// The path of each element, and what it is.
    elements: Vec<(u32, u32)>,
    element_ids: FxHashMap<(u32, u32), u32>,
    /// The sorted elements of all sets.
    members: Vec<u32>,
    /// Where each set ends.
    ends: Vec<u32>,
    set_ids: HashTable<u32>,
    joins: FxHashMap<(u32, u32), u32>,
    /// What was read of the paths that derivations refer to, by their symbols.
    parsed: Vec<Option<StorePath>>,
}

/// As [`ContextElement`], with a path that was read.
pub(crate) enum Gained {
    Plain(StorePath),
    DrvDeep(StorePath),
    Output(StorePath, String),
}

fn hash(ids: &[u32]) -> u64 {
    let mut hasher = FxHasher::default();
    ids.iter().for_each(|id| hasher.write_u32(*id));
    hasher.finish()
}

fn slice<'a>(members: &'a [u32], ends: &[u32], id: u32) -> &'a [u32] {
    let Some(end) = ends.get(id as usize) else { return &[] };
    let start = if id == 0 { 0 } else { ends[id as usize - 1] };
    &members[start as usize..*end as usize]
}

impl Contexts {
    pub(crate) fn new() -> Self {
        let mut contexts = Self {
            names: Interner::default(),
            elements: Vec::new(),
            element_ids: FxHashMap::default(),
            members: Vec::new(),
            ends: Vec::new(),
            set_ids: HashTable::new(),
            joins: FxHashMap::default(),
            parsed: Vec::new(),
        };
        contexts.set(&mut Vec::new());
        contexts
    }

    fn element(&mut self, element: &ContextElement) -> u32 {
        match element {
            ContextElement::Plain(path) => self.element_of(path, PLAIN),
            ContextElement::DrvDeep(path) => self.element_of(path, DEEP),
            ContextElement::Output { drv, output } => {
                let output = self.names.intern(output);
                self.element_of(drv, OUTPUTS + output.0)
            }
        }
    }

    fn element_of(&mut self, path: &str, what: u32) -> u32 {
        let element = (self.names.intern(path).0, what);
        let id = self.elements.len() as u32;
        let found = *self.element_ids.entry(element).or_insert(id);
        if found == id {
            self.elements.push(element);
        }
        found
    }

    fn shown(&self, id: u32) -> ContextElement {
        let (path, what) = self.elements[id as usize];
        let path = self.names.name(Symbol(path)).to_owned();
        match what {
            PLAIN => ContextElement::Plain(path),
            DEEP => ContextElement::DrvDeep(path),
            output => {
                let output = self.names.name(Symbol(output - OUTPUTS)).to_owned();
                ContextElement::Output { drv: path, output }
            }
        }
    }

    fn members(&self, id: u32) -> &[u32] {
        slice(&self.members, &self.ends, id)
    }

    fn set(&mut self, ids: &mut Vec<u32>) -> ContextId {
        ids.sort_unstable();
        ids.dedup();
        let hashed = hash(ids);
        let (members, ends) = (&self.members, &self.ends);
        if let Some(id) = self.set_ids.find(hashed, |id| slice(members, ends, *id) == ids.as_slice()) {
            return ContextId(*id);
        }
        let id = self.ends.len() as u32;
        self.members.extend_from_slice(ids);
        self.ends.push(self.members.len() as u32);
        let (members, ends) = (&self.members, &self.ends);
        self.set_ids.insert_unique(hashed, id, |id| hash(slice(members, ends, *id)));
        ContextId(id)
    }

    pub(crate) fn of(&mut self, elements: &[ContextElement]) -> ContextId {
        if elements.is_empty() {
            return ContextId::EMPTY;
        }
        let mut ids = elements.iter().map(|element| self.element(element)).collect();
        self.set(&mut ids)
    }

    /// The context of an output of a derivation.
    pub(crate) fn of_output(&mut self, drv: &str, output: &str) -> ContextId {
        let output = self.names.intern(output);
        let element = self.element_of(drv, OUTPUTS + output.0);
        self.set(&mut vec![element])
    }

    /// The context of a derivation with everything it needs and yields.
    pub(crate) fn of_derivation(&mut self, drv: &str) -> ContextId {
        let element = self.element_of(drv, DEEP);
        self.set(&mut vec![element])
    }

    /// The elements in their order (not that of their first occurrence).
    pub(crate) fn elements(&self, id: ContextId) -> Vec<ContextElement> {
        let mut all: Vec<ContextElement> = self.members(id.0).iter().map(|id| self.shown(*id)).collect();
        all.sort();
        all
    }

    /// The elements of what was gathered, each once, by number.
    fn gathered_ids(&self, gathered: &Gathered) -> Vec<u32> {
        let mut ids: Vec<u32> = gathered.0.iter().flat_map(|id| self.members(id.0).iter().copied()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The union of what was gathered.
    pub(crate) fn gather(&mut self, gathered: &Gathered) -> ContextId {
        match gathered.0.as_slice() {
            [] => ContextId::EMPTY,
            [only] => *only,
            _ => {
                let mut ids = self.gathered_ids(gathered);
                self.set(&mut ids)
            }
        }
    }

    /// What was gathered, each once, as store paths.
    ///
    /// # Errors
    /// A path that is none of the store's.
    pub(crate) fn gathered_paths(
        &mut self,
        gathered: &Gathered,
        dir: &StoreDir,
    ) -> Result<Vec<Gained>, StorePathError> {
        let ids = self.gathered_ids(gathered);
        let mut all = Vec::with_capacity(ids.len());
        for id in ids {
            let (symbol, what) = self.elements[id as usize];
            let path = self.parsed(symbol, dir)?;
            all.push(match what {
                PLAIN => Gained::Plain(path),
                DEEP => Gained::DrvDeep(path),
                output => Gained::Output(path, self.names.name(Symbol(output - OUTPUTS)).to_owned()),
            });
        }
        Ok(all)
    }

    /// A path that was read before, or is now.
    fn parsed(&mut self, symbol: u32, dir: &StoreDir) -> Result<StorePath, StorePathError> {
        let place = symbol as usize;
        if let Some(Some(known)) = self.parsed.get(place) {
            return Ok(known.clone());
        }
        let path = dir.parse(self.names.name(Symbol(symbol)))?;
        if self.parsed.len() <= place {
            self.parsed.resize(place + 1, None);
        }
        self.parsed[place] = Some(path.clone());
        Ok(path)
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
        let mut ids = self.members(a.0).iter().chain(self.members(b.0)).copied().collect();
        let joined = self.set(&mut ids);
        self.joins.insert(key, joined.0);
        joined
    }
}
