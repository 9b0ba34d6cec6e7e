//! What the evaluator runs: nodes of 16 bytes with all variables resolved to places.
//!
//! A *frame* holds the variables of one call of a function, of one file, or of
//! one recursive set, and what the expressions in it need to remember (the
//! scopes of `with`, sources of `inherit (...)`, variables of `let`): an
//! expression runs at most once per frame, so a place in it is enough.

use crate::heap::{Handle, Table, roomy};
use crate::value::Value;
use nival_syntax::Symbol;

/// The index of a node.
pub(crate) type NodeId = u32;

/// A run of entries of [`Code::extra`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Run {
    pub(crate) fn indices(self) -> std::ops::Range<u32> {
        self.start..self.start + self.len
    }
}

/// One step of the program.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Node {
    Const(Value),
    /// A variable of the current frame.
    Local(u32),
    /// A variable of a frame further out: depth, place.
    Outer(u32, u32),
    /// A variable that only a `with` can bring: name, innermost scope, inline cache.
    Scoped {
        name: Symbol,
        scope: u32,
        cache: u32,
        level: u16,
    },
    CurrentPosition,
    /// `"a${b}"`: extra holds nodes.
    Interpolate(Run),
    InterpolatePath(Run),
    List(Run),
    Set(u32),
    RecSet(u32),
    Let {
        inits: Run,
        body: NodeId,
    },
    /// A `let` in a frame of its own: size, then as `Let`.
    LetFrame {
        block: u32,
        body: NodeId,
    },
    With {
        scope: NodeId,
        place: u32,
        body: NodeId,
    },
    Assert(NodeId, NodeId),
    If(NodeId, NodeId, NodeId),
    Lambda(u32),
    Call1(NodeId, NodeId),
    /// Function and a run of arguments.
    Call(NodeId, Run),
    /// Base, name, inline cache.
    Select(NodeId, Symbol, u32),
    /// `base.name or default`
    SelectOr {
        base: NodeId,
        path: u32,
        default: NodeId,
    },
    /// Base and a path with computed names.
    SelectPath(NodeId, u32),
    HasAttr(NodeId, u32),
    Not(NodeId),
    Negate(NodeId),
    And(NodeId, NodeId),
    Or(NodeId, NodeId),
    Implies(NodeId, NodeId),
    Equal(NodeId, NodeId),
    NotEqual(NodeId, NodeId),
    /// `f 0 (g text) other == text`, which with `substring` and `stringLength` asks whether one text begins with another.
    EqualBeginning(NodeId, NodeId),
    /// Left, right; `true` for "or equal" is made by swapping and negating.
    Less(NodeId, NodeId),
    NotLess(NodeId, NodeId),
    Update(NodeId, NodeId),
    Concat(NodeId, NodeId),
    Add(NodeId, NodeId),
    Subtract(NodeId, NodeId),
    Multiply(NodeId, NodeId),
    Divide(NodeId, NodeId),
}

/// One component of a path of names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Name {
    /// A name and its inline cache.
    Static(Symbol, u32),
    Dynamic(NodeId),
}

/// A value that a frame's place gets before the body runs: place, node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Init {
    pub(crate) place: u32,
    pub(crate) node: NodeId,
}

/// An attribute with a computed name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Computed {
    pub(crate) name: NodeId,
    pub(crate) value: NodeId,
    pub(crate) position: u32,
}

/// How to make a set.
#[derive(Clone, Debug)]
pub(crate) struct SetCode {
    /// The sorted names with their positions.
    pub(crate) shape: Handle,
    /// The nodes of the values, in the order of the shape.
    pub(crate) values: Run,
    /// For recursive sets: places of the frame after the visible attributes.
    pub(crate) hidden: u32,
    /// What goes into hidden places first: sources of `inherit (...)`.
    pub(crate) sources: Run,
    pub(crate) computed: Vec<Computed>,
    /// The legacy `__overrides` attribute: its index.
    pub(crate) overrides: Option<u32>,
}

/// A `let` with a frame of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) size: u32,
    pub(crate) inits: Run,
}

/// One formal argument.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FormalCode {
    pub(crate) name: Symbol,
    pub(crate) position: u32,
    pub(crate) place: u32,
    /// Inline cache.
    pub(crate) cache: u32,
    pub(crate) default: Option<NodeId>,
}

/// A function. `x: y: body` is one function of two arguments, with one frame for both.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LambdaCode {
    pub(crate) body: NodeId,
    /// Places of its frame: the arguments first.
    pub(crate) size: u32,
    /// How many arguments it takes.
    pub(crate) arity: u32,
    /// The whole last argument takes a place.
    pub(crate) whole: bool,
    /// The last argument has formals; none of the others has.
    pub(crate) has_formals: bool,
    pub(crate) ellipsis: bool,
    /// Formals sorted by name: a run of [`Code::formals`].
    pub(crate) formals: Run,
    /// The first of [`Code::levels`], one for each argument.
    pub(crate) levels: u32,
}

/// What a function that waits for its next argument looks like from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    /// What it is called, for messages.
    pub(crate) name: Option<Symbol>,
    pub(crate) argument: Option<Symbol>,
    pub(crate) position: u32,
    pub(crate) has_formals: bool,
    pub(crate) ellipsis: bool,
    pub(crate) formals: Run,
}

/// One scope of `with`: where it is kept, and the next one outward (0: none).
#[derive(Clone, Copy, Debug)]
pub(crate) struct WithScope {
    pub(crate) level: u16,
    pub(crate) place: u32,
    pub(crate) outer: u32,
}

/// So many nodes there is room for from the beginning: those of a large evaluation.
const ROOM: usize = 1 << 20;

/// The whole program, of all files.
pub(crate) struct Code {
    pub(crate) nodes: Table<Node>,
    /// Start and end of each node in the space of all sources.
    pub(crate) spans: Vec<(u32, u32)>,
    pub(crate) extra: Table<NodeId>,
    pub(crate) inits: Table<Init>,
    pub(crate) paths: Vec<Box<[Name]>>,
    pub(crate) sets: Vec<SetCode>,
    pub(crate) blocks: Table<Block>,
    pub(crate) lambdas: Table<LambdaCode>,
    pub(crate) levels: Table<Level>,
    pub(crate) formals: Table<FormalCode>,
    pub(crate) scopes: Table<WithScope>,
    /// Inline caches: shape, index.
    pub(crate) caches: Table<(Handle, u32)>,
}

impl Default for Code {
    fn default() -> Self {
        Self {
            nodes: Table::roomy(ROOM),
            spans: roomy(ROOM),
            extra: Table::roomy(ROOM),
            inits: Table::default(),
            paths: Vec::new(),
            sets: roomy(ROOM / 8),
            blocks: Table::default(),
            lambdas: Table::default(),
            levels: Table::default(),
            formals: Table::roomy(ROOM / 8),
            scopes: Table::default(),
            caches: Table::roomy(ROOM / 2),
        }
    }
}

impl Code {
    pub(crate) fn add(&mut self, node: Node, span: (u32, u32)) -> NodeId {
        self.spans.push(span);
        self.nodes.push(node)
    }

    pub(crate) fn cache(&mut self) -> u32 {
        self.caches.push((0, 0))
    }
}
