//! Functions and the forms whose body reaches as far as possible.

use super::Parser;
use crate::diagnostics;
use crate::lexer::TokenKind as K;
use crate::{Expr, ExprId, Formal, Lambda, Symbol};
use nival_diagnostics::Diagnostic;

impl Parser<'_> {
    /// Any expression.
    pub(super) fn expression(&mut self) -> ExprId {
        self.nested(Self::expression_inner)
    }

    fn expression_inner(&mut self) -> ExprId {
        let start = self.token.start;
        match self.token.kind {
            // Most identifiers are variables, which one byte tells.
            K::Identifier if matches!(self.lexer.byte_ahead(), b':' | b'@') => match self.peek().kind {
                K::Colon | K::At => self.named_function(),
                _ => self.operation(0),
            },
            K::BraceOpen if self.formals_ahead() => self.formals_function(start, None),
            K::Assert => {
                self.next();
                let condition = self.expression();
                self.expect(K::Semicolon, "`;`");
                let body = self.expression();
                self.add(Expr::Assert(condition, body), start)
            }
            K::With => {
                self.next();
                let scope = self.expression();
                self.expect(K::Semicolon, "`;`");
                let body = self.expression();
                self.add(Expr::With(scope, body), start)
            }
            K::Let if self.peek().kind != K::BraceOpen => self.let_in(start),
            K::If => {
                self.next();
                let condition = self.expression();
                self.expect(K::Then, "`then`");
                let yes = self.expression();
                self.expect(K::Else, "`else`");
                let no = self.expression();
                self.add(Expr::If(condition, yes, no), start)
            }
            _ => self.operation(0),
        }
    }

    fn let_in(&mut self, start: u32) -> ExprId {
        self.next();
        let set = self.bindings(true, K::In);
        if let Some(dynamic) = self.ast.sets[set.0 as usize].dynamic.first() {
            let (from, to) = self.ast.span(dynamic.name);
            let span = self.span(from, to);
            self.error(
                Diagnostic::error(
                    &diagnostics::dynamic_attribute::ENTRY,
                    "computed names are not allowed in `let`",
                )
                .label(span, "computed while evaluating")
                .help("use an attribute set: `{ ${name} = value; }.${name}`"),
            );
        }
        self.expect(K::In, "`in`");
        let body = self.expression();
        self.add(Expr::Let(set, body), start)
    }

    /// `x: body`, `x@{ ... }: body`
    fn named_function(&mut self) -> ExprId {
        let token = self.next();
        let name = self.symbol(token.start, token.end);
        if self.accept(K::At) {
            if !self.at(K::BraceOpen) {
                return self.nothing("`{`");
            }
            return self.formals_function(token.start, Some((name, token.start)));
        }
        self.next();
        let body = self.expression();
        self.lambda(token.start, Lambda { argument: Some(name), formals: None, ellipsis: false, body })
    }

    fn lambda(&mut self, start: u32, lambda: Lambda) -> ExprId {
        let id = self.ast.lambdas.len() as u32;
        self.ast.lambdas.push(lambda);
        self.add(Expr::Lambda(id), start)
    }

    /// Whether the `{` here opens formal arguments.
    fn formals_ahead(&self) -> bool {
        let mut lexer = self.lexer.clone();
        let first = lexer.token().kind;
        match first {
            K::Ellipsis => true,
            K::BraceClose => matches!(lexer.token().kind, K::Colon | K::At),
            K::Identifier => match lexer.token().kind {
                K::Comma | K::Question => true,
                K::BraceClose => matches!(lexer.token().kind, K::Colon | K::At),
                _ => false,
            },
            _ => false,
        }
    }

    fn formals_function(&mut self, start: u32, before: Option<(Symbol, u32)>) -> ExprId {
        self.next();
        let (formals, ellipsis) = self.formals();
        let mut argument = before;
        if self.at(K::At) && argument.is_none() {
            self.next();
            let token = self.token;
            if self.expect(K::Identifier, "a name for the whole argument") {
                argument = Some((self.symbol(token.start, token.end), token.start));
            }
        }
        if let Some((name, position)) = argument
            && let Some(formal) = formals.iter().find(|f| f.name == name)
        {
            self.duplicate_formal(name, formal.position.min(position), formal.position.max(position));
        }
        self.expect(K::Colon, "`:`");
        let body = self.expression();
        let argument = argument.map(|(name, _)| name);
        self.lambda(start, Lambda { argument, formals: Some(formals), ellipsis, body })
    }

    fn formals(&mut self) -> (Vec<Formal>, bool) {
        let mut formals: Vec<Formal> = Vec::new();
        let mut ellipsis = false;
        loop {
            match self.token.kind {
                K::BraceClose => break,
                K::Ellipsis => {
                    self.next();
                    ellipsis = true;
                    break;
                }
                K::Identifier => {
                    let token = self.next();
                    let name = self.symbol(token.start, token.end);
                    let default = if self.accept(K::Question) { Some(self.expression()) } else { None };
                    formals.push(Formal { name, position: token.start, default });
                }
                _ => {
                    self.unexpected("an argument name, `...` or `}`");
                    break;
                }
            }
            if !self.accept(K::Comma) {
                break;
            }
        }
        self.expect(K::BraceClose, "`,` or `}`");
        self.check_formals(&formals);
        (formals, ellipsis)
    }

    fn check_formals(&mut self, formals: &[Formal]) {
        let mut sorted: Vec<(Symbol, u32)> = formals.iter().map(|f| (f.name, f.position)).collect();
        sorted.sort_unstable();
        for pair in sorted.windows(2) {
            if pair[0].0 == pair[1].0 {
                self.duplicate_formal(pair[0].0, pair[0].1, pair[1].1);
            }
        }
    }

    fn duplicate_formal(&mut self, name: Symbol, first: u32, second: u32) {
        let name = self.interner.name(name).to_owned();
        let len = name.len() as u32;
        let diagnostic = Diagnostic::error(
            &diagnostics::duplicate_formal::ENTRY,
            format!("the argument `{name}` is named twice"),
        )
        .label(self.span(second, second + len), "named again here")
        .label(self.span(first, first + len), "first named here")
        .help("remove or rename one of them");
        self.error(diagnostic);
    }
}
