//! The typed tree: small copyable nodes in one vector, lists of children in side vectors.
//!
//! What the language merges while reading is merged here already: dotted
//! attribute paths are nested sets, definitions are sorted by symbol, and
//! `{ a.b = 1; a.c = 2; }` is one inner set.

use crate::Symbol;

/// Names one expression of an [`Ast`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExprId(pub u32);

/// Names one attribute set (or the bindings of a `let`) of an [`Ast`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SetId(pub u32);

/// Names one constant text of an [`Ast`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TextId(pub u32);

/// A run of entries of a side vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Range {
    /// The first entry.
    pub start: u32,
    /// How many there are.
    pub len: u32,
}

impl Range {
    /// As a range of indices.
    pub fn indices(self) -> std::ops::Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }
}

/// An operator with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BinaryOp {
    Implies,
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Update,
    Add,
    Subtract,
    Multiply,
    Divide,
    Concat,
    /// `x |> f`
    PipeInto,
    /// `f <| x`
    PipeFrom,
}

/// One expression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expr {
    /// What could not be read; a diagnostic says why.
    Error,
    /// An integer.
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// A variable.
    Variable(Symbol),
    /// `__curPos`
    CurrentPosition,
    /// A string without interpolation (URIs too).
    Text(TextId),
    /// A string with interpolation: [`Ast::parts`].
    Interpolated(Range),
    /// A path without interpolation, as written.
    Path(TextId),
    /// A path with interpolation; the first part is a text.
    InterpolatedPath(Range),
    /// `<nixpkgs/lib>`, without the brackets.
    SearchPath(TextId),
    /// A list: [`Ast::children`].
    List(Range),
    /// `{ ... }` or `rec { ... }`
    Set(SetId),
    /// `let { body = ...; }`
    LetBody(SetId),
    /// `let ... in ...`
    Let(SetId, ExprId),
    /// `with scope; body`
    With(ExprId, ExprId),
    /// `assert condition; body`
    Assert(ExprId, ExprId),
    /// `if ... then ... else ...`
    If(ExprId, ExprId, ExprId),
    /// A function: [`Ast::lambdas`].
    Lambda(u32),
    /// A function applied to one or more arguments: [`Ast::children`].
    Apply(ExprId, Range),
    /// `base.path` or `base.path or default`: [`Ast::names`].
    Select(ExprId, Range, Option<ExprId>),
    /// `base ? path`
    HasAttr(ExprId, Range),
    /// `!x`
    Not(ExprId),
    /// `-x`
    Negate(ExprId),
    /// Two operands.
    Binary(BinaryOp, ExprId, ExprId),
}

/// A piece of a string or path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    /// As it stands.
    Text(TextId),
    /// `${...}`
    Expr(ExprId),
}

/// One component of an attribute path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AttrName {
    /// A name that is known.
    Static(Symbol),
    /// A name that is computed.
    Dynamic(ExprId),
}

/// How an attribute is defined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AttrKind {
    /// `name = expr;`
    Plain(ExprId),
    /// `inherit name;`: the expression is the variable, looked up outside of the set.
    Inherit(ExprId),
    /// `inherit (source) name;`: the index is into [`AttrSet::sources`].
    InheritFrom(u32),
}

/// The definition of one attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttrDef {
    /// Its name.
    pub name: Symbol,
    /// Byte offset of its definition.
    pub position: u32,
    /// How it is defined.
    pub kind: AttrKind,
}

/// An attribute whose name is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DynamicAttr {
    /// The name.
    pub name: ExprId,
    /// The value.
    pub value: ExprId,
    /// Byte offset of its definition.
    pub position: u32,
}

/// An attribute set or the bindings of a `let`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttrSet {
    /// Whether the attributes see each other.
    pub recursive: bool,
    /// The attributes with known names, sorted by symbol, each once.
    pub attrs: Vec<AttrDef>,
    /// The attributes with computed names, as written.
    pub dynamic: Vec<DynamicAttr>,
    /// The expressions of `inherit (...)`.
    pub sources: Vec<ExprId>,
}

/// One formal argument of `{ a, b ? c }:`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Formal {
    /// Its name.
    pub name: Symbol,
    /// Byte offset of the name.
    pub position: u32,
    /// Its default.
    pub default: Option<ExprId>,
}

/// A function.
#[derive(Clone, Debug, PartialEq)]
pub struct Lambda {
    /// `x:` or `x@{...}:`
    pub argument: Option<Symbol>,
    /// The formals of `{...}:`, as written.
    pub formals: Option<Vec<Formal>>,
    /// Whether further attributes are allowed.
    pub ellipsis: bool,
    /// What it returns.
    pub body: ExprId,
}

/// The tree of one file.
#[derive(Clone, Debug, Default)]
pub struct Ast {
    /// The expressions.
    pub exprs: Vec<Expr>,
    /// Start and end offset of each expression.
    pub spans: Vec<(u32, u32)>,
    /// Elements of lists and arguments of calls.
    pub children: Vec<ExprId>,
    /// Components of attribute paths.
    pub names: Vec<AttrName>,
    /// Pieces of strings and paths.
    pub parts: Vec<Part>,
    /// Attribute sets.
    pub sets: Vec<AttrSet>,
    /// Functions.
    pub lambdas: Vec<Lambda>,
    pub(crate) texts: Vec<Range>,
    pub(crate) bytes: Vec<u8>,
}

impl Ast {
    /// The bytes of a constant text, escapes resolved.
    pub fn text(&self, id: TextId) -> &[u8] {
        self.texts.get(id.0 as usize).map_or(&[], |range| &self.bytes[range.indices()])
    }

    /// An expression.
    pub fn expr(&self, id: ExprId) -> Expr {
        self.exprs[id.0 as usize]
    }

    /// Start and end offset of an expression.
    pub fn span(&self, id: ExprId) -> (u32, u32) {
        self.spans[id.0 as usize]
    }

    pub(crate) fn add(&mut self, expr: Expr, start: u32, end: u32) -> ExprId {
        let id = ExprId(self.exprs.len() as u32);
        self.exprs.push(expr);
        self.spans.push((start, end));
        id
    }

    pub(crate) fn add_text(&mut self, text: &[u8]) -> TextId {
        let id = TextId(self.texts.len() as u32);
        self.texts.push(Range { start: self.bytes.len() as u32, len: text.len() as u32 });
        self.bytes.extend_from_slice(text);
        id
    }
}
