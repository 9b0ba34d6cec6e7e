//! Operators, application, selection and the simple expressions.

use super::Parser;
use crate::diagnostics;
use crate::lexer::TokenKind as K;
use crate::{AttrName, BinaryOp, Expr, ExprId, Range};
use nival_diagnostics::Diagnostic;

/// Which side of an operator may hold the same operator without parentheses.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Left,
    Right,
    Neither,
}

const PIPE: u8 = 1;
const NOT: u8 = 8;
const QUESTION: u8 = 12;
const NEGATE: u8 = 13;

fn operator(kind: K) -> Option<(BinaryOp, u8, Side)> {
    use BinaryOp as B;
    Some(match kind {
        K::PipeInto => (B::PipeInto, PIPE, Side::Left),
        K::PipeFrom => (B::PipeFrom, PIPE, Side::Right),
        K::Arrow => (B::Implies, 2, Side::Right),
        K::OrOr => (B::Or, 3, Side::Left),
        K::AndAnd => (B::And, 4, Side::Left),
        K::Equal => (B::Equal, 5, Side::Neither),
        K::NotEqual => (B::NotEqual, 5, Side::Neither),
        K::Less => (B::Less, 6, Side::Neither),
        K::LessEqual => (B::LessEqual, 6, Side::Neither),
        K::Greater => (B::Greater, 6, Side::Neither),
        K::GreaterEqual => (B::GreaterEqual, 6, Side::Neither),
        K::Update => (B::Update, 7, Side::Right),
        K::Plus => (B::Add, 9, Side::Left),
        K::Minus => (B::Subtract, 9, Side::Left),
        K::Star => (B::Multiply, 10, Side::Left),
        K::Slash => (B::Divide, 10, Side::Left),
        K::Concat => (B::Concat, 11, Side::Right),
        _ => return None,
    })
}

impl Parser<'_> {
    /// An operand and the operators after it that bind at least as tightly as `least`.
    pub(super) fn operation(&mut self, least: u8) -> ExprId {
        let start = self.token.start;
        let mut left = self.operand();
        // The last operator of this level that cannot be chained.
        let mut closed: Option<(u8, Option<BinaryOp>)> = None;
        loop {
            if self.at(K::Question) && QUESTION >= least {
                if closed.is_some_and(|(level, _)| level == QUESTION) {
                    self.not_associative();
                }
                self.next();
                let path = self.attr_path();
                left = self.add(Expr::HasAttr(left, path), start);
                closed = Some((QUESTION, None));
                continue;
            }
            let Some((op, level, side)) = operator(self.token.kind) else { return left };
            if level < least {
                return left;
            }
            let chained = match closed {
                Some((before, _)) if before == level && side == Side::Neither => true,
                Some((before, Some(other))) => level == PIPE && before == PIPE && other != op,
                _ => false,
            };
            if chained {
                self.not_associative();
            }
            self.next();
            let right = match side {
                Side::Right => self.deeper_operation(level),
                _ => self.deeper_operation(level + 1),
            };
            left = self.add(Expr::Binary(op, left, right), start);
            closed = Some((level, Some(op)));
        }
    }

    fn deeper_operation(&mut self, least: u8) -> ExprId {
        self.nested_at(least, Self::operation)
    }

    fn not_associative(&mut self) {
        let span = self.span(self.token.start, self.token.end);
        self.error(
            Diagnostic::error(
                &diagnostics::operator_not_associative::ENTRY,
                "operators cannot be chained here",
            )
            .label(span, "second operator")
            .help("put parentheses around what belongs together"),
        );
    }

    fn operand(&mut self) -> ExprId {
        let start = self.token.start;
        match self.token.kind {
            K::Bang => {
                self.next();
                let inner = self.deeper_operation(NOT);
                self.add(Expr::Not(inner), start)
            }
            K::Minus => {
                self.next();
                let inner = self.deeper_operation(NEGATE);
                self.add(Expr::Negate(inner), start)
            }
            _ => self.application(),
        }
    }

    fn starts_simple(&self) -> bool {
        matches!(
            self.token.kind,
            K::Identifier
                | K::Int
                | K::Float
                | K::Path
                | K::HomePath
                | K::SearchPath
                | K::Uri
                | K::Quote
                | K::IndentedQuote
                | K::BraceOpen
                | K::BracketOpen
                | K::ParenOpen
                | K::Let
                | K::Rec
        )
    }

    fn application(&mut self) -> ExprId {
        let start = self.token.start;
        let function = self.selection();
        if !self.starts_simple() {
            return function;
        }
        let base = self.scratch.len();
        while self.starts_simple() {
            let argument = self.selection();
            self.scratch.push(argument);
        }
        let arguments = self.take_scratch(base);
        self.add(Expr::Apply(function, arguments), start)
    }

    fn take_scratch(&mut self, base: usize) -> Range {
        let start = self.ast.children.len() as u32;
        self.ast.children.extend_from_slice(&self.scratch[base..]);
        let len = (self.scratch.len() - base) as u32;
        self.scratch.truncate(base);
        Range { start, len }
    }

    /// A simple expression with `.path`, `or default`.
    pub(super) fn selection(&mut self) -> ExprId {
        let start = self.token.start;
        let base = self.simple();
        if self.at(K::Dot) {
            self.next();
            let path = self.attr_path();
            let default = if self.accept(K::Or) { Some(self.nested(Self::selection)) } else { None };
            return self.add(Expr::Select(base, path, default), start);
        }
        if self.at(K::Or) {
            let or = self.next();
            let name = self.symbol(or.start, or.end);
            let variable = self.add(Expr::Variable(name), or.start);
            let at = self.scratch.len();
            self.scratch.push(variable);
            let arguments = self.take_scratch(at);
            return self.add(Expr::Apply(base, arguments), start);
        }
        base
    }

    /// `a.b."c".${d}`
    pub(super) fn attr_path(&mut self) -> Range {
        let mut names = smallvec::SmallVec::<[AttrName; 8]>::new();
        loop {
            match self.attr_name() {
                Some(name) => names.push(name),
                None => {
                    self.unexpected("an attribute name");
                    break;
                }
            }
            if !self.accept(K::Dot) {
                break;
            }
        }
        let start = self.ast.names.len() as u32;
        self.ast.names.extend_from_slice(&names);
        Range { start, len: names.len() as u32 }
    }

    pub(super) fn attr_name(&mut self) -> Option<AttrName> {
        match self.token.kind {
            K::Identifier | K::Or => {
                let token = self.next();
                Some(AttrName::Static(self.symbol(token.start, token.end)))
            }
            K::Quote => {
                let expr = self.string();
                Some(self.name_of(expr))
            }
            K::DollarBrace => {
                self.next();
                let expr = self.expression();
                self.expect(K::BraceClose, "`}`");
                Some(self.name_of(expr))
            }
            _ => None,
        }
    }

    /// A constant text is a known name, even in `${"..."}`.
    fn name_of(&mut self, expr: ExprId) -> AttrName {
        match self.ast.expr(expr) {
            Expr::Text(text) => {
                let name = self.ast.text(text).to_vec();
                AttrName::Static(self.symbol_of(&name))
            }
            _ => AttrName::Dynamic(expr),
        }
    }

    fn simple(&mut self) -> ExprId {
        let start = self.token.start;
        match self.token.kind {
            K::Identifier => {
                let token = self.next();
                let name = self.symbol(token.start, token.end);
                let here = name == self.current_position;
                self.add(if here { Expr::CurrentPosition } else { Expr::Variable(name) }, start)
            }
            K::Int => self.integer(),
            K::Float => self.float(),
            K::Quote => self.string(),
            K::IndentedQuote => self.indented_string(),
            K::Path | K::HomePath => self.path(),
            K::SearchPath => {
                let token = self.next();
                let text = self.slice(token.start + 1, token.end - 1);
                let text = self.ast.add_text(text);
                self.add(Expr::SearchPath(text), start)
            }
            K::Uri => {
                let token = self.next();
                let text = self.slice(token.start, token.end);
                let text = self.ast.add_text(text);
                self.add(Expr::Text(text), start)
            }
            K::ParenOpen => {
                self.next();
                let inner = self.expression();
                self.close(K::ParenClose, "`)`", start);
                inner
            }
            K::BracketOpen => self.list(),
            K::BraceOpen => {
                let set = self.set(false);
                self.add(Expr::Set(set), start)
            }
            K::Rec => {
                self.next();
                let set = self.set(true);
                self.add(Expr::Set(set), start)
            }
            K::Let => {
                self.next();
                let set = self.set(true);
                self.add(Expr::LetBody(set), start)
            }
            _ => self.nothing("an expression"),
        }
    }

    pub(super) fn nothing(&mut self, wanted: &str) -> ExprId {
        self.unexpected(wanted);
        let start = self.token.start;
        let closes = matches!(
            self.token.kind,
            K::End
                | K::BraceClose
                | K::BracketClose
                | K::ParenClose
                | K::Semicolon
                | K::In
                | K::Then
                | K::Else
        );
        if !closes {
            self.next();
        }
        self.add(Expr::Error, start)
    }

    fn integer(&mut self) -> ExprId {
        let token = self.next();
        let digits = self.slice(token.start, token.end);
        let value = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<i64>().ok());
        if value.is_none() {
            let span = self.span(token.start, token.end);
            self.error(
                Diagnostic::error(
                    &diagnostics::number_out_of_range::ENTRY,
                    format!("the number `{}` does not fit into 64 bits", String::from_utf8_lossy(digits)),
                )
                .label(span, "too large")
                .help("write it as a float, such as `1e20`"),
            );
        }
        self.add(value.map_or(Expr::Error, Expr::Int), token.start)
    }

    fn float(&mut self) -> ExprId {
        let token = self.next();
        let digits = String::from_utf8_lossy(self.slice(token.start, token.end)).into_owned();
        match digits.parse::<f64>() {
            Ok(value)
                if value.is_finite()
                    && !(value == 0.0
                        && digits.contains(['1', '2', '3', '4', '5', '6', '7', '8', '9'])
                        && !digits.contains(['e', 'E'])) =>
            {
                self.add(Expr::Float(value), token.start)
            }
            _ => {
                let span = self.span(token.start, token.end);
                self.error(
                    Diagnostic::error(
                        &diagnostics::number_out_of_range::ENTRY,
                        format!("the number `{digits}` does not fit into a float"),
                    )
                    .label(span, "out of range"),
                );
                self.add(Expr::Error, token.start)
            }
        }
    }

    fn list(&mut self) -> ExprId {
        let start = self.next().start;
        let base = self.scratch.len();
        while !matches!(self.token.kind, K::BracketClose | K::End) {
            if !self.starts_simple() {
                let before = self.token.start;
                let hint = if self.at(K::Comma) {
                    "an element or `]` (elements are separated by spaces)"
                } else {
                    "an element or `]`"
                };
                self.unexpected(hint);
                if matches!(
                    self.token.kind,
                    K::BraceClose | K::ParenClose | K::Semicolon | K::In | K::Then | K::Else
                ) {
                    break;
                }
                if self.token.start == before {
                    self.next();
                }
                continue;
            }
            let element = self.nested(Self::selection);
            self.scratch.push(element);
        }
        let elements = self.take_scratch(base);
        self.close(K::BracketClose, "`]`", start);
        self.add(Expr::List(elements), start)
    }
}
