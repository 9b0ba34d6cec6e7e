//! Which names are visible, and the place of each.

use nival_syntax::Symbol;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// The names that are visible at one point of a text.
pub(crate) struct Scope {
    names: FxHashMap<Symbol, SmallVec<[(u16, u32); 2]>>,
    /// How many places each frame has so far, outermost first.
    frames: Vec<u32>,
    /// The innermost `with`: an index into `Code::scopes` plus one.
    with: u32,
}

impl Scope {
    pub(crate) fn new() -> Self {
        Self { names: FxHashMap::default(), frames: vec![0], with: 0 }
    }

    pub(crate) fn level(&self) -> u16 {
        self.frames.len() as u16 - 1
    }

    pub(crate) fn find(&self, name: Symbol) -> Option<(u16, u32)> {
        self.names.get(&name).and_then(|stack| stack.last().copied())
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = Symbol> {
        self.names.iter().filter(|(_, stack)| !stack.is_empty()).map(|(name, _)| *name)
    }

    pub(crate) fn innermost_with(&self) -> u32 {
        self.with
    }

    pub(crate) fn set_with(&mut self, with: u32) {
        self.with = with;
    }

    /// A new place in the innermost frame.
    pub(crate) fn new_place(&mut self) -> u32 {
        let top = self.frames.len() - 1;
        self.frames[top] += 1;
        self.frames[top] - 1
    }

    pub(crate) fn bind(&mut self, name: Symbol, place: u32) {
        let level = self.level();
        self.names.entry(name).or_default().push((level, place));
    }

    pub(crate) fn unbind(&mut self, name: Symbol) {
        if let Some(stack) = self.names.get_mut(&name) {
            stack.pop();
        }
    }

    pub(crate) fn enter(&mut self) {
        self.frames.push(0);
    }

    /// How many places the innermost frame has.
    pub(crate) fn size(&self) -> u32 {
        self.frames.last().copied().unwrap_or(0)
    }

    /// Leaves the innermost frame and tells its size.
    pub(crate) fn leave(&mut self) -> u32 {
        self.frames.pop().unwrap_or(0)
    }
}
