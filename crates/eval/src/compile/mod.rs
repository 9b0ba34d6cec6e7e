//! From the tree to the program: every variable becomes a place before anything runs.

mod expressions;
mod scope;
mod sets;

pub(crate) use scope::Scope;

use crate::code::{Code, Init, Node, NodeId, Run};
use crate::heap::Heap;
use crate::value::Value;
use nival_diagnostics::{Diagnostic, SourceId, Span};
use nival_syntax::{Ast, ExprId, Interner, Symbol};
use rustc_hash::FxHashMap;

/// What a file is compiled with.
pub(crate) struct Surroundings<'a> {
    /// The folder that relative paths start from.
    pub(crate) base_dir: &'a str,
    /// What `~` stands for.
    pub(crate) home: Option<String>,
    /// Names that the caller brings, such as those of `scopedImport`.
    pub(crate) extra: FxHashMap<Symbol, Value>,
    pub(crate) source: SourceId,
    /// Where this source starts in the space of all sources.
    pub(crate) base: u32,
    /// Nothing is computed here that the program would compute when it is needed.
    pub(crate) as_written: bool,
}

/// The program of one file: where to start, and how many places its frame has.
#[derive(Clone, Copy)]
pub(crate) struct Program {
    pub(crate) root: NodeId,
    pub(crate) size: u32,
}

pub(crate) struct Compiler<'a> {
    ast: &'a Ast,
    code: &'a mut Code,
    heap: &'a mut Heap,
    interner: &'a Interner,
    globals: &'a FxHashMap<Symbol, Value>,
    around: &'a Surroundings<'a>,
    scope: Scope,
    errors: Vec<Diagnostic>,
    depth: u32,
}

/// Compiles a whole tree.
pub(crate) fn compile(
    ast: &Ast,
    root: ExprId,
    code: &mut Code,
    heap: &mut Heap,
    interner: &Interner,
    globals: &FxHashMap<Symbol, Value>,
    around: &Surroundings<'_>,
) -> Result<Program, Vec<Diagnostic>> {
    let scope = Scope::new();
    let mut compiler =
        Compiler { ast, code, heap, interner, globals, around, scope, errors: Vec::new(), depth: 0 };
    let root = compiler.lower(root, true);
    let size = compiler.scope.size();
    if compiler.errors.is_empty() { Ok(Program { root, size }) } else { Err(compiler.errors) }
}

impl Compiler<'_> {
    /// The span of an expression in the space of all sources; 0 is no place.
    fn span(&self, expr: ExprId) -> (u32, u32) {
        let (start, end) = self.ast.span(expr);
        (self.place(start), self.place(end))
    }

    fn place(&self, offset: u32) -> u32 {
        self.around.base + offset + 1
    }

    fn run(&mut self, nodes: &[NodeId]) -> Run {
        let start = self.code.extra.extend(nodes);
        Run { start, len: nodes.len() as u32 }
    }

    fn init_run(&mut self, inits: &[Init]) -> Run {
        let start = self.code.inits.extend(inits);
        Run { start, len: inits.len() as u32 }
    }

    fn text(&mut self, bytes: &[u8]) -> Value {
        let at = self.heap.allocate_bytes(bytes);
        Value::new(crate::value::tag::STRING, 0, at)
    }

    /// The node of a variable.
    fn variable(&mut self, name: Symbol, span: (u32, u32)) -> NodeId {
        if let Some(binding) = self.scope.find(name) {
            let (depth, place) = (self.scope.level() - binding.level, binding.place);
            let node = if depth == 0 { Node::Local(place) } else { Node::Outer(u32::from(depth), place) };
            let node = self.code.add(node, span);
            self.scope.used(binding, node);
            return node;
        }
        if let Some(value) = self.around.extra.get(&name).or_else(|| self.globals.get(&name)) {
            return self.code.add(Node::Const(*value), span);
        }
        let scope = self.scope.innermost_with();
        if scope == 0 {
            self.undefined(name, span);
        }
        let level = self.scope.level();
        let cache = self.code.cache();
        self.code.add(Node::Scoped { name, scope, cache, level }, span)
    }

    fn undefined(&mut self, name: Symbol, span: (u32, u32)) {
        let text = self.interner.name(name);
        let visible =
            self.scope.names().chain(self.around.extra.keys().copied()).chain(self.globals.keys().copied());
        let names = visible.map(|name| self.interner.name(name)).filter(|name| !name.starts_with("__"));
        let near = crate::suggest::nearest(text, names);
        let start = span.0 - self.around.base - 1;
        let place = Span { source: self.around.source, start, end: start + text.len() as u32 };
        let mut made = Diagnostic::error(
            &crate::diagnostics::undefined_variable::ENTRY,
            format!("undefined variable `{text}`"),
        )
        .label(place, "not defined here");
        made = match near {
            Some(near) => made.help(format!("did you mean `{near}`?")),
            None => made.help("define it with `let`, take it as an argument, or bring it in with `with`"),
        };
        self.errors.push(made);
    }
}
