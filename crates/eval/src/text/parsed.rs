//! An expression as it was read, as `nix-instantiate --parse` prints it.

use super::print::{is_identifier, quote};
use super::short_float;
use crate::evaluator::Evaluator;
use crate::paths::canonical;
use nival_diagnostics::Diagnostic;
use nival_syntax::{
    Ast, AttrKind, AttrName, AttrSet, BinaryOp, Expr, ExprId, Interner, Part, Range, SetId, Symbol,
    parse_pieces,
};
use std::collections::BTreeMap;

impl Evaluator {
    /// Reads a text and prints what was read, without evaluating it: what the language only abbreviates is written
    /// out, and relative paths start from `base_dir`.
    ///
    /// # Errors
    /// Everything that is wrong with the text.
    pub fn print_parsed(
        &mut self,
        name: &str,
        text: &[u8],
        base_dir: &str,
    ) -> Result<Vec<u8>, Vec<Diagnostic>> {
        let wrong = self.check(name, text, base_dir);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let (source, _) = self.add_source(name, text);
        let parsed = parse_pieces(text, source, &mut self.interner);
        let home = self.world.env("HOME").unwrap_or_default();
        let mut printer = Printer {
            ast: &parsed.ast,
            names: &self.interner,
            base: base_dir,
            home: &home,
            source: text,
            out: Vec::new(),
        };
        printer.expr(parsed.root);
        Ok(printer.out)
    }
}

struct Printer<'p> {
    ast: &'p Ast,
    names: &'p Interner,
    base: &'p str,
    home: &'p str,
    source: &'p [u8],
    out: Vec<u8>,
}

/// How an operator is written; the second field tells of operands that change places, the third of an answer that is
/// turned round.
enum Operator {
    Infix(&'static str),
    Call(&'static str, bool, bool),
    Apply(bool),
}

fn operator(op: BinaryOp) -> Operator {
    match op {
        BinaryOp::Implies => Operator::Infix("->"),
        BinaryOp::Or => Operator::Infix("||"),
        BinaryOp::And => Operator::Infix("&&"),
        BinaryOp::Equal => Operator::Infix("=="),
        BinaryOp::NotEqual => Operator::Infix("!="),
        BinaryOp::Update => Operator::Infix("//"),
        BinaryOp::Add => Operator::Infix("+"),
        BinaryOp::Concat => Operator::Infix("++"),
        BinaryOp::Less => Operator::Call("__lessThan", false, false),
        BinaryOp::LessEqual => Operator::Call("__lessThan", true, true),
        BinaryOp::Greater => Operator::Call("__lessThan", true, false),
        BinaryOp::GreaterEqual => Operator::Call("__lessThan", false, true),
        BinaryOp::Subtract => Operator::Call("__sub", false, false),
        BinaryOp::Multiply => Operator::Call("__mul", false, false),
        BinaryOp::Divide => Operator::Call("__div", false, false),
        BinaryOp::PipeInto => Operator::Apply(true),
        BinaryOp::PipeFrom => Operator::Apply(false),
    }
}

impl Printer<'_> {
    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn name(&mut self, name: Symbol) {
        let text = self.names.name(name);
        if text == "or" || is_identifier(text) {
            self.out.extend_from_slice(text.as_bytes());
        } else {
            quote(&mut self.out, text.as_bytes());
        }
    }

    fn path(&mut self, text: &[u8], keep_slash: bool) {
        let text = String::from_utf8_lossy(text).into_owned();
        let absolute = match text.strip_prefix('~') {
            Some(rest) => format!("{}{rest}", self.home),
            None if text.starts_with('/') => text.clone(),
            None => format!("{}/{text}", self.base),
        };
        let shown = canonical(&absolute);
        self.text(&shown);
        if keep_slash && text.ends_with('/') && !shown.ends_with('/') {
            self.text("/");
        }
    }

    /// Prints an expression; deep nesting takes more stack as it needs it.
    fn expr(&mut self, id: ExprId) {
        stacker::maybe_grow(128 << 10, 4 << 20, || self.expr_inner(id));
    }

    fn expr_inner(&mut self, id: ExprId) {
        match self.ast.expr(id) {
            Expr::Error => {}
            Expr::Int(int) => self.text(&int.to_string()),
            Expr::Float(float) => self.text(&short_float(float)),
            Expr::Variable(name) => self.name(name),
            Expr::CurrentPosition => self.text("__curPos"),
            Expr::Text(text) => quote(&mut self.out, self.ast.text(text)),
            Expr::Path(text) => self.path(self.ast.text(text), false),
            Expr::Interpolated(parts) => match self.only_text(id, parts) {
                Some(text) => self.expr(text),
                None => self.parts(parts, false),
            },
            Expr::InterpolatedPath(parts) => self.parts(parts, true),
            Expr::SearchPath(text) => {
                self.text("(__findFile __nixPath ");
                quote(&mut self.out, self.ast.text(text));
                self.text(")");
            }
            Expr::List(items) => self.list(items),
            Expr::Set(set) => self.set(set),
            Expr::LetBody(set) => {
                self.text("(");
                self.set(set);
                self.text(").body");
            }
            Expr::Lambda(index) => self.lambda(index),
            Expr::Apply(function, arguments) => self.call(function, arguments),
            Expr::Select(base, path, default) => self.select(base, path, default),
            Expr::Binary(op, left, right) => self.binary(op, left, right),
            Expr::Not(inner) => self.wrapped(&["(! ", ")"], &[inner]),
            Expr::Negate(inner) => self.wrapped(&["(__sub 0 ", ")"], &[inner]),
            Expr::With(scope, body) => self.wrapped(&["(with ", "; ", ")"], &[scope, body]),
            Expr::Assert(condition, body) => self.wrapped(&["assert ", "; ", ""], &[condition, body]),
            Expr::If(condition, yes, no) => {
                self.wrapped(&["(if ", " then ", " else ", ")"], &[condition, yes, no]);
            }
            Expr::HasAttr(base, path) => {
                self.wrapped(&["((", ") ? "], &[base]);
                self.names(path);
                self.text(")");
            }
            Expr::Let(set, body) => {
                self.text("(let ");
                self.bindings(set);
                self.wrapped(&["in ", ")"], &[body]);
            }
        }
    }

    /// Texts with expressions between them.
    fn wrapped(&mut self, texts: &[&str], inner: &[ExprId]) {
        for (at, text) in texts.iter().enumerate() {
            self.text(text);
            if let Some(inner) = inner.get(at) {
                self.expr(*inner);
            }
        }
    }

    fn parts(&mut self, parts: Range, path: bool) {
        self.text("(");
        for (at, index) in parts.indices().enumerate() {
            if at > 0 {
                self.text(" + ");
            }
            match self.ast.parts[index] {
                Part::Expr(inner) => self.expr(inner),
                Part::Text(text) if path && at == 0 => self.path(self.ast.text(text), true),
                Part::Text(text) => quote(&mut self.out, self.ast.text(text)),
            }
        }
        self.text(")");
    }

    /// The constant string that is all of an indented one, written as an interpolation.
    fn only_text(&self, id: ExprId, parts: Range) -> Option<ExprId> {
        let indented = self.source[self.ast.span(id).0 as usize..].starts_with(b"''");
        match self.ast.parts[parts.indices()] {
            [Part::Expr(inner)] if indented && matches!(self.ast.expr(inner), Expr::Text(_)) => Some(inner),
            _ => None,
        }
    }

    fn list(&mut self, items: Range) {
        self.text("[ ");
        for index in items.indices() {
            self.wrapped(&["(", ") "], &[self.ast.children[index]]);
        }
        self.text("]");
    }

    fn set(&mut self, id: SetId) {
        if self.ast.sets[id.0 as usize].recursive {
            self.text("rec ");
        }
        self.text("{ ");
        self.bindings(id);
        self.text("}");
    }

    fn bindings(&mut self, id: SetId) {
        let ast = self.ast;
        let set: &AttrSet = &ast.sets[id.0 as usize];
        let mut sorted: Vec<_> = set.attrs.iter().collect();
        sorted.sort_by_key(|definition| self.names.name(definition.name));
        let mut sources: BTreeMap<u32, Vec<Symbol>> = BTreeMap::new();
        let mut inherited = Vec::new();
        for definition in &sorted {
            match definition.kind {
                AttrKind::Plain(_) => {}
                AttrKind::Inherit(_) => inherited.push(definition.name),
                AttrKind::InheritFrom(source) => sources.entry(source).or_default().push(definition.name),
            }
        }
        if !inherited.is_empty() {
            self.text("inherit");
            self.inherited(&inherited);
        }
        for (source, names) in sources {
            self.text("inherit (");
            self.expr(set.sources[source as usize]);
            self.text(")");
            self.inherited(&names);
        }
        for definition in sorted {
            if let AttrKind::Plain(value) = definition.kind {
                self.name(definition.name);
                self.wrapped(&[" = ", "; "], &[value]);
            }
        }
        for dynamic in &set.dynamic {
            self.wrapped(&["\"${", "}\" = ", "; "], &[dynamic.name, dynamic.value]);
        }
    }

    fn inherited(&mut self, names: &[Symbol]) {
        for name in names {
            self.text(" ");
            self.name(*name);
        }
        self.text("; ");
    }

    fn lambda(&mut self, index: u32) {
        let lambda = &self.ast.lambdas[index as usize];
        self.text("(");
        if let Some(formals) = &lambda.formals {
            let mut sorted: Vec<_> = formals.iter().collect();
            sorted.sort_by_key(|formal| self.names.name(formal.name));
            self.text("{ ");
            for (at, formal) in sorted.iter().enumerate() {
                if at > 0 {
                    self.text(", ");
                }
                self.name(formal.name);
                if let Some(default) = formal.default {
                    self.wrapped(&[" ? "], &[default]);
                }
            }
            if lambda.ellipsis {
                self.text(if sorted.is_empty() { "..." } else { ", ..." });
            }
            self.text(" }");
            if lambda.argument.is_some() {
                self.text(" @ ");
            }
        }
        if let Some(argument) = lambda.argument {
            self.name(argument);
        }
        self.wrapped(&[": ", ")"], &[lambda.body]);
    }

    /// Whether an expression is a call in the end: then more arguments belong to it.
    fn is_call(&self, id: ExprId) -> bool {
        match self.ast.expr(id) {
            Expr::Apply(..) | Expr::Negate(_) | Expr::SearchPath(_) => true,
            Expr::Binary(op, ..) => matches!(operator(op), Operator::Call(_, _, false) | Operator::Apply(_)),
            _ => false,
        }
    }

    /// The function of a call, to which arguments can be added.
    fn called(&mut self, function: ExprId) {
        if self.is_call(function) {
            self.expr(function);
            self.out.pop();
        } else {
            self.wrapped(&["("], &[function]);
        }
    }

    fn call(&mut self, function: ExprId, arguments: Range) {
        self.called(function);
        for index in arguments.indices() {
            self.wrapped(&[" "], &[self.ast.children[index]]);
        }
        self.text(")");
    }

    fn select(&mut self, base: ExprId, path: Range, default: Option<ExprId>) {
        self.wrapped(&["(", ")."], &[base]);
        self.names(path);
        if let Some(default) = default {
            self.wrapped(&[" or (", ")"], &[default]);
        }
    }

    fn names(&mut self, path: Range) {
        for (at, index) in path.indices().enumerate() {
            if at > 0 {
                self.text(".");
            }
            match self.ast.names[index] {
                AttrName::Static(name) => self.name(name),
                AttrName::Dynamic(inner) => self.wrapped(&["\"${", "}\""], &[inner]),
            }
        }
    }

    fn binary(&mut self, op: BinaryOp, left: ExprId, right: ExprId) {
        match operator(op) {
            Operator::Infix(sign) => {
                self.wrapped(&["(", " "], &[left]);
                self.text(sign);
                self.wrapped(&[" ", ")"], &[right]);
            }
            Operator::Call(name, exchanged, negated) => {
                let (first, second) = if exchanged { (right, left) } else { (left, right) };
                self.text(if negated { "(! (" } else { "(" });
                self.text(name);
                self.wrapped(&[" ", " "], &[first, second]);
                self.text(if negated { "))" } else { ")" });
            }
            Operator::Apply(into) => {
                let (function, argument) = if into { (right, left) } else { (left, right) };
                self.called(function);
                self.wrapped(&[" ", ")"], &[argument]);
            }
        }
    }
}
