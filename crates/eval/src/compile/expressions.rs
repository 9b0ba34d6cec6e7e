//! One expression at a time.

use super::Compiler;
use crate::code::{FormalCode, LambdaCode, Level, Name, Node, NodeId, Run, WithScope};
use crate::heap::Content;
use crate::paths;
use crate::symbols;
use crate::value::{Value, tag};
use nival_syntax::{AttrName, BinaryOp, Expr, ExprId, Lambda, Part, Range, Symbol};
use smallvec::SmallVec;

/// How many arguments one function takes at most; what is beyond belongs to the next one.
const MAX_ARITY: usize = 16;

impl Compiler<'_> {
    /// Compiles an expression. `direct`: it runs whenever its frame is made, so
    /// that variables of a `let` cost nothing when they are kept in that frame.
    pub(super) fn lower(&mut self, expr: ExprId, direct: bool) -> NodeId {
        self.depth += 1;
        let node = if self.depth.is_multiple_of(16) {
            stacker::maybe_grow(128 * 1024, 4 * 1024 * 1024, || self.lower_inner(expr, direct))
        } else {
            self.lower_inner(expr, direct)
        };
        self.depth -= 1;
        node
    }

    fn lower_inner(&mut self, expr: ExprId, direct: bool) -> NodeId {
        let span = self.span(expr);
        let node = match self.ast.expr(expr) {
            Expr::Error => Node::Const(Value::NULL),
            Expr::Int(value) => Node::Const(self.int(value)),
            Expr::Float(value) => {
                let at = self.heap.allocate(Content::Raw, 1);
                self.heap.set_word(at, value.to_bits());
                Node::Const(Value::new(tag::FLOAT, 0, at))
            }
            Expr::Variable(name) => return self.variable(name, span),
            Expr::CurrentPosition => Node::CurrentPosition,
            Expr::Text(text) => Node::Const(self.text(self.ast.text(text))),
            Expr::Interpolated(parts) => Node::Interpolate(self.parts(parts, span, false)),
            Expr::Path(text) => Node::Const(self.path_value(self.ast.text(text))),
            Expr::InterpolatedPath(parts) => Node::InterpolatePath(self.parts(parts, span, true)),
            Expr::SearchPath(text) => self.search_path(self.ast.text(text), span),
            Expr::List(items) => self.list(items),
            Expr::Set(set) => return self.set(set, span),
            Expr::LetBody(set) => {
                let set = self.set(set, span);
                Node::Select(set, symbols::BODY, self.code.cache())
            }
            Expr::Let(set, body) => return self.let_in(set, body, direct, span),
            Expr::With(scope, body) => self.with(scope, body, direct),
            Expr::Assert(condition, body) => {
                Node::Assert(self.lower(condition, direct), self.lower(body, direct))
            }
            Expr::If(condition, yes, no) => {
                Node::If(self.lower(condition, direct), self.lower(yes, false), self.lower(no, false))
            }
            Expr::Lambda(id) => Node::Lambda(self.lambda(id, span, None)),
            Expr::Apply(function, arguments) => self.call(function, arguments),
            Expr::Select(base, path, default) => self.select(base, path, default),
            Expr::HasAttr(base, path) => {
                let base = self.lower(base, false);
                Node::HasAttr(base, self.path(path))
            }
            Expr::Not(inner) => Node::Not(self.lower(inner, false)),
            Expr::Negate(inner) => self.negate(inner, span),
            Expr::Binary(op, left, right) => self.binary(op, left, right, span),
        };
        self.code.add(node, span)
    }

    fn int(&mut self, value: i64) -> Value {
        Value::small_int(value).unwrap_or_else(|| {
            let at = self.heap.allocate(Content::Raw, 1);
            self.heap.set_word(at, value as u64);
            Value::new(tag::WIDE_INT, 0, at)
        })
    }

    fn list(&mut self, items: Range) -> Node {
        if items.len == 0 {
            return Node::Const(Value::list(1, 0));
        }
        let nodes: Vec<NodeId> =
            self.ast.children[items.indices()].iter().map(|item| self.lower(*item, false)).collect();
        Node::List(self.run(&nodes))
    }

    fn parts(&mut self, parts: Range, span: (u32, u32), path: bool) -> Run {
        let mut nodes = Vec::with_capacity(parts.len as usize);
        for (at, part) in self.ast.parts[parts.indices()].iter().enumerate() {
            nodes.push(match part {
                Part::Text(text) if path && at == 0 => {
                    let start = self.absolute(self.ast.text(*text));
                    let value = self.text(&start);
                    self.code.add(Node::Const(value), span)
                }
                Part::Text(text) => {
                    let value = self.text(self.ast.text(*text));
                    self.code.add(Node::Const(value), span)
                }
                Part::Expr(expr) => self.lower(*expr, false),
            });
        }
        self.run(&nodes)
    }

    /// The absolute form of a path as written; keeps one slash at the end.
    fn absolute(&self, text: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(text);
        let mut path = if let Some(rest) = text.strip_prefix('~') {
            paths::canonical(&format!("{}{rest}", self.around.home.as_deref().unwrap_or("")))
        } else if text.starts_with('/') {
            paths::canonical(&text)
        } else {
            paths::canonical(&format!("{}/{text}", self.around.base_dir))
        };
        if text.len() > 1 && text.ends_with('/') {
            path.push('/');
        }
        path.into_bytes()
    }

    fn path_value(&mut self, text: &[u8]) -> Value {
        let absolute = self.absolute(text);
        let at = self.heap.allocate_bytes(&absolute);
        Value::new(tag::PATH, 0, at)
    }

    fn search_path(&mut self, text: &[u8], span: (u32, u32)) -> Node {
        let find = self.variable(symbols::FIND_FILE, span);
        let path = self.variable(symbols::NIX_PATH, span);
        let value = self.text(text);
        let text = self.code.add(Node::Const(value), span);
        Node::Call(find, self.run(&[path, text]))
    }

    fn with(&mut self, scope: ExprId, body: ExprId, direct: bool) -> Node {
        let scope = self.lower(scope, false);
        let place = self.scope.new_place();
        let outer = self.scope.innermost_with();
        let here = self.code.scopes.push(WithScope { level: self.scope.level(), place, outer }) + 1;
        self.scope.set_with(here);
        let body = self.lower(body, direct);
        self.scope.set_with(outer);
        Node::With { scope, place, body }
    }

    /// Compiles a function; `name` is what it is bound to.
    pub(super) fn lambda(&mut self, id: u32, span: (u32, u32), name: Option<Symbol>) -> u32 {
        let chain = self.chain(id, span);
        let (last, _) = chain[chain.len() - 1];
        let lambda = &self.ast.lambdas[last as usize];
        self.scope.enter();
        let mut bound: Vec<Symbol> = Vec::new();
        for (id, _) in &chain {
            if let Some(argument) = self.ast.lambdas[*id as usize].argument {
                let place = self.scope.new_place();
                self.scope.bind(argument, place);
                bound.push(argument);
            }
        }
        let formals = self.formals(lambda, &mut bound);
        let body = self.lower(lambda.body, true);
        for name in bound {
            self.scope.unbind(name);
        }
        let size = self.scope.leave();
        let formals = Run { start: self.code.formals.extend(&formals), len: formals.len() as u32 };
        let levels = self.levels(&chain, name, formals);
        self.code.lambdas.push(LambdaCode {
            body,
            size,
            arity: chain.len() as u32,
            whole: lambda.argument.is_some(),
            has_formals: lambda.formals.is_some(),
            ellipsis: lambda.ellipsis,
            formals,
            levels,
        })
    }

    /// The functions of `x: y: z: ...`, each with its place: all but the last take one plain argument.
    fn chain(&self, id: u32, span: (u32, u32)) -> SmallVec<[(u32, (u32, u32)); 4]> {
        let mut chain = SmallVec::new();
        let (mut id, mut span) = (id, span);
        loop {
            chain.push((id, span));
            let lambda = &self.ast.lambdas[id as usize];
            match self.ast.expr(lambda.body) {
                Expr::Lambda(inner) if lambda.formals.is_none() && chain.len() < MAX_ARITY => {
                    (id, span) = (inner, self.span(lambda.body));
                }
                _ => return chain,
            }
        }
    }

    fn levels(&mut self, chain: &[(u32, (u32, u32))], name: Option<Symbol>, formals: Run) -> u32 {
        let levels: SmallVec<[Level; 4]> = chain
            .iter()
            .enumerate()
            .map(|(at, (id, span))| {
                let lambda = &self.ast.lambdas[*id as usize];
                let has_formals = lambda.formals.is_some();
                Level {
                    name: if at == 0 { name } else { None },
                    argument: lambda.argument,
                    position: span.0,
                    has_formals,
                    ellipsis: lambda.ellipsis,
                    formals: if has_formals { formals } else { Run { start: 0, len: 0 } },
                }
            })
            .collect();
        self.code.levels.extend(&levels)
    }

    /// The named arguments, sorted, with their defaults.
    fn formals(&mut self, lambda: &Lambda, bound: &mut Vec<Symbol>) -> Vec<FormalCode> {
        let Some(written) = &lambda.formals else { return Vec::new() };
        let mut sorted: Vec<_> = written.iter().collect();
        sorted.sort_by_key(|formal| formal.name);
        let mut formals: Vec<FormalCode> = Vec::with_capacity(sorted.len());
        for formal in &sorted {
            let place = self.scope.new_place();
            self.scope.bind(formal.name, place);
            bound.push(formal.name);
            let position = self.place(formal.position);
            let cache = self.code.cache();
            formals.push(FormalCode { name: formal.name, position, place, cache, default: None });
        }
        for (code, formal) in formals.iter_mut().zip(&sorted) {
            code.default = formal.default.map(|default| self.lower(default, false));
        }
        formals
    }

    fn call(&mut self, function: ExprId, arguments: Range) -> Node {
        let function = self.lower(function, false);
        let nodes: Vec<NodeId> = self.ast.children[arguments.indices()]
            .iter()
            .map(|argument| self.lower(*argument, false))
            .collect();
        match nodes.as_slice() {
            [only] => Node::Call1(function, *only),
            _ => Node::Call(function, self.run(&nodes)),
        }
    }

    fn path(&mut self, path: Range) -> u32 {
        let names: Box<[Name]> = self.ast.names[path.indices()]
            .iter()
            .map(|name| match name {
                AttrName::Static(name) => Name::Static(*name, self.code.cache()),
                AttrName::Dynamic(expr) => Name::Dynamic(self.lower(*expr, false)),
            })
            .collect();
        self.code.paths.push(names);
        self.code.paths.len() as u32 - 1
    }

    fn select(&mut self, base: ExprId, path: Range, default: Option<ExprId>) -> Node {
        let span = self.span(base);
        let names = &self.ast.names[path.indices()];
        let known = names.iter().all(|name| matches!(name, AttrName::Static(_)));
        let mut node = self.lower(base, false);
        if let Some(default) = default {
            let path = self.path(path);
            let default = self.lower(default, false);
            return Node::SelectOr { base: node, path, default };
        }
        if !known {
            return Node::SelectPath(node, self.path(path));
        }
        for (at, name) in names.iter().enumerate() {
            let AttrName::Static(name) = name else { continue };
            let select = Node::Select(node, *name, self.code.cache());
            if at + 1 == names.len() {
                return select;
            }
            node = self.code.add(select, span);
        }
        Node::Const(Value::NULL)
    }

    fn shadowed(&self, name: Symbol) -> bool {
        self.scope.find(name).is_some() || self.around.extra.contains_key(&name)
    }

    /// Arithmetic may be redefined by binding `__sub` and the like.
    fn redefined(&mut self, name: Symbol, operands: [NodeId; 2], span: (u32, u32)) -> Option<Node> {
        if !self.shadowed(name) {
            return None;
        }
        let function = self.variable(name, span);
        Some(Node::Call(function, self.run(&operands)))
    }

    fn negate(&mut self, inner: ExprId, span: (u32, u32)) -> Node {
        if !self.shadowed(symbols::SUB)
            && !self.around.as_written
            && let Expr::Int(value) = self.ast.expr(inner)
            && let Some(negative) = value.checked_neg()
        {
            return Node::Const(self.int(negative));
        }
        let inner = self.lower(inner, false);
        if self.shadowed(symbols::SUB) {
            let zero = self.int(0);
            let zero = self.code.add(Node::Const(zero), span);
            if let Some(node) = self.redefined(symbols::SUB, [zero, inner], span) {
                return node;
            }
        }
        Node::Negate(inner)
    }

    /// Whether this may be `substring 0 (stringLength text) other == text`, by whatever names.
    fn is_beginning(&self, left: NodeId, right: NodeId) -> bool {
        let Node::Call(_, Run { start, len: 3 }) = self.code.nodes.get(left) else { return false };
        let [first, length, _] = [0, 1, 2].map(|at| self.code.nodes.get(self.code.extra.get(start + at)));
        let (Node::Const(first), Node::Call1(_, text)) = (first, length) else { return false };
        let same = match (self.code.nodes.get(text), self.code.nodes.get(right)) {
            (Node::Local(a), Node::Local(b)) => a == b,
            (Node::Outer(a, b), Node::Outer(c, d)) => (a, b) == (c, d),
            _ => false,
        };
        same && Value::small_int(0) == Some(first)
    }

    fn binary(&mut self, op: BinaryOp, left: ExprId, right: ExprId, span: (u32, u32)) -> Node {
        let (l, r) = (self.lower(left, false), self.lower(right, false));
        let redefinable = match op {
            BinaryOp::Subtract => Some((symbols::SUB, [l, r])),
            BinaryOp::Multiply => Some((symbols::MUL, [l, r])),
            BinaryOp::Divide => Some((symbols::DIV, [l, r])),
            BinaryOp::Less | BinaryOp::GreaterEqual => Some((symbols::LESS_THAN, [l, r])),
            BinaryOp::Greater | BinaryOp::LessEqual => Some((symbols::LESS_THAN, [r, l])),
            _ => None,
        };
        if let Some((name, operands)) = redefinable
            && let Some(node) = self.redefined(name, operands, span)
        {
            if matches!(op, BinaryOp::GreaterEqual | BinaryOp::LessEqual) {
                let inner = self.code.add(node, span);
                return Node::Not(inner);
            }
            return node;
        }
        match op {
            BinaryOp::Implies => Node::Implies(l, r),
            BinaryOp::Or => Node::Or(l, r),
            BinaryOp::And => Node::And(l, r),
            BinaryOp::Equal if self.is_beginning(l, r) => Node::EqualBeginning(l, r),
            BinaryOp::Equal => Node::Equal(l, r),
            BinaryOp::NotEqual => Node::NotEqual(l, r),
            BinaryOp::Less => Node::Less(l, r),
            BinaryOp::Greater => Node::Less(r, l),
            BinaryOp::LessEqual => Node::NotLess(r, l),
            BinaryOp::GreaterEqual => Node::NotLess(l, r),
            BinaryOp::Update => Node::Update(l, r),
            BinaryOp::Add => Node::Add(l, r),
            BinaryOp::Subtract => Node::Subtract(l, r),
            BinaryOp::Multiply => Node::Multiply(l, r),
            BinaryOp::Divide => Node::Divide(l, r),
            BinaryOp::Concat => Node::Concat(l, r),
            BinaryOp::PipeInto => Node::Call1(r, l),
            BinaryOp::PipeFrom => Node::Call1(l, r),
        }
    }
}
