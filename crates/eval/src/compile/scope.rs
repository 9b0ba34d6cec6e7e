//! Which names are visible, and the place of each.

use crate::code::NodeId;
use nival_syntax::Symbol;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Where the value of a name is kept.
#[derive(Clone, Copy)]
pub(crate) struct Binding {
    pub(crate) level: u16,
    pub(crate) place: u32,
    /// For variables of `let`: the number of its [`Use`], plus one.
    counted: u32,
}

/// Where a variable of `let` is used.
#[derive(Clone, Copy)]
pub(crate) enum Use {
    Nowhere,
    /// By this node only, which runs in the frame of the `let`.
    Once(NodeId),
    Elsewhere,
}

/// The names that are visible at one point of a text.
pub(crate) struct Scope {
    names: FxHashMap<Symbol, SmallVec<[Binding; 2]>>,
    /// Uses of the variables of each `let` that is being compiled, outermost first.
    uses: Vec<Use>,
    /// The frames, outermost first.
    frames: Vec<Frame>,
    /// The innermost `with`: an index into `Code::scopes` plus one.
    with: u32,
}

/// The places of one frame.
#[derive(Default)]
struct Frame {
    size: u32,
    /// Places that turned out to be needed by nobody.
    free: Vec<u32>,
}

impl Scope {
    pub(crate) fn new() -> Self {
        Self { names: FxHashMap::default(), uses: Vec::new(), frames: vec![Frame::default()], with: 0 }
    }

    pub(crate) fn level(&self) -> u16 {
        self.frames.len() as u16 - 1
    }

    pub(crate) fn find(&self, name: Symbol) -> Option<Binding> {
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

    /// A place in the innermost frame.
    pub(crate) fn new_place(&mut self) -> u32 {
        let top = self.frames.len() - 1;
        let frame = &mut self.frames[top];
        if let Some(place) = frame.free.pop() {
            return place;
        }
        frame.size += 1;
        frame.size - 1
    }

    /// Says that nothing is ever kept in a place of the innermost frame.
    pub(crate) fn free_place(&mut self, place: u32) {
        let top = self.frames.len() - 1;
        self.frames[top].free.push(place);
    }

    pub(crate) fn bind(&mut self, name: Symbol, place: u32) {
        let level = self.level();
        self.names.entry(name).or_default().push(Binding { level, place, counted: 0 });
    }

    /// As `bind`, for a variable whose uses are to be known: the number of its [`Use`].
    pub(crate) fn bind_counted(&mut self, name: Symbol, place: u32) -> usize {
        let level = self.level();
        self.uses.push(Use::Nowhere);
        let counted = self.uses.len() as u32;
        self.names.entry(name).or_default().push(Binding { level, place, counted });
        self.uses.len() - 1
    }

    pub(crate) fn unbind(&mut self, name: Symbol) {
        if let Some(stack) = self.names.get_mut(&name)
            && let Some(binding) = stack.pop()
            && binding.counted > 0
        {
            self.uses.truncate(binding.counted as usize - 1);
        }
    }

    /// Notes that a node uses a variable.
    pub(crate) fn used(&mut self, binding: Binding, node: NodeId) {
        let is_here = binding.level == self.level();
        if let Some(known) = (binding.counted as usize).checked_sub(1).and_then(|at| self.uses.get_mut(at)) {
            *known = match known {
                Use::Nowhere if is_here => Use::Once(node),
                _ => Use::Elsewhere,
            };
        }
    }

    /// Where a variable is used.
    pub(crate) fn use_of(&self, number: usize) -> Use {
        self.uses[number]
    }

    /// Notes that what was one node is another one now.
    pub(crate) fn moved(&mut self, from: NodeId, to: NodeId) {
        for known in &mut self.uses {
            if matches!(known, Use::Once(node) if *node == from) {
                *known = Use::Once(to);
            }
        }
    }

    pub(crate) fn enter(&mut self) {
        self.frames.push(Frame::default());
    }

    /// How many places the innermost frame has.
    pub(crate) fn size(&self) -> u32 {
        self.frames.last().map_or(0, Frame::needed)
    }

    /// Leaves the innermost frame and tells its size.
    pub(crate) fn leave(&mut self) -> u32 {
        self.frames.pop().map_or(0, |frame| frame.needed())
    }
}

impl Frame {
    /// How many places there are up to the last one that is needed.
    fn needed(&self) -> u32 {
        let mut size = self.size;
        while size > 0 && self.free.contains(&(size - 1)) {
            size -= 1;
        }
        size
    }
}
