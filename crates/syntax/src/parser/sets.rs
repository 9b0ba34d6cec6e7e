//! Attribute sets and the bindings of `let`: reading and merging.

use super::Parser;
use crate::diagnostics;
use crate::lexer::TokenKind as K;
use crate::{AttrDef, AttrKind, AttrName, AttrSet, DynamicAttr, Expr, ExprId, SetId};
use nival_diagnostics::Diagnostic;

impl Parser<'_> {
    /// `{ ... }`
    pub(super) fn set(&mut self, recursive: bool) -> SetId {
        let open = self.token.start;
        let opened = self.expect(K::BraceOpen, "`{`");
        let set = self.bindings(recursive, K::BraceClose);
        let wanted = "an attribute name or `}`";
        // After `rec` or `let` the bracket may be missing, and then the file may end there.
        if opened {
            self.close(K::BraceClose, wanted, open);
        } else {
            self.expect(K::BraceClose, wanted);
        }
        set
    }

    /// Definitions up to `end`, which is left unread.
    pub(super) fn bindings(&mut self, recursive: bool, end: K) -> SetId {
        let mut set = AttrSet { recursive, ..AttrSet::default() };
        while !self.at(end) && !self.at(K::End) {
            match self.token.kind {
                K::Inherit => self.inherit(&mut set),
                K::Identifier | K::Or | K::Quote | K::DollarBrace => self.binding(&mut set),
                _ => {
                    self.unexpected("an attribute name");
                    if matches!(self.token.kind, K::BraceClose | K::In | K::ParenClose | K::BracketClose) {
                        break;
                    }
                    self.skip_binding();
                }
            }
        }
        self.sort(&mut set);
        let id = SetId(self.ast.sets.len() as u32);
        self.ast.sets.push(set);
        id
    }

    /// After an error: on to the next definition.
    fn skip_binding(&mut self) {
        let mut open = 0;
        loop {
            match self.token.kind {
                K::End | K::In => return,
                K::BraceClose | K::BracketClose | K::ParenClose if open == 0 => return,
                K::BraceOpen | K::DollarBrace | K::BracketOpen | K::ParenOpen => open += 1,
                K::BraceClose | K::BracketClose | K::ParenClose => open -= 1,
                K::Semicolon if open == 0 => {
                    self.next();
                    return;
                }
                _ => {}
            }
            self.next();
        }
    }

    fn end_of_binding(&mut self) {
        if self.accept(K::Semicolon) {
            return;
        }
        self.unexpected("`;`");
        // `a = 1 b = 2;`: the next definition starts here.
        let starts = self.at(K::Identifier) && matches!(self.peek().kind, K::Assign | K::Dot);
        if !starts && !self.at(K::Inherit) {
            self.skip_binding();
        }
    }

    fn binding(&mut self, set: &mut AttrSet) {
        let position = self.token.start;
        let path = self.attr_path();
        if !self.at(K::Assign) {
            self.unexpected(if self.arguments_ahead() { "`,`" } else { "`.` or `=`" });
            self.skip_binding();
            return;
        }
        self.next();
        let value = self.expression();
        self.end_of_binding();
        let names: smallvec::SmallVec<[AttrName; 8]> = self.ast.names[path.indices()].into();
        let mut value = value;
        for name in names.iter().skip(1).rev() {
            let mut inner = AttrSet::default();
            insert(&mut inner, *name, value, position);
            let id = SetId(self.ast.sets.len() as u32);
            self.ast.sets.push(inner);
            value = self.add(Expr::Set(id), position);
        }
        if let Some(first) = names.first() {
            insert(set, *first, value, position);
        }
    }

    /// Whether what follows looks like arguments of a function between which a comma is missing.
    fn arguments_ahead(&self) -> bool {
        let (mut lexer, mut kind) = (self.lexer.clone(), self.token.kind);
        while matches!(kind, K::Identifier | K::Comma | K::Ellipsis) {
            kind = lexer.token().kind;
        }
        kind == K::BraceClose && matches!(lexer.token().kind, K::Colon | K::At)
    }

    fn inherit(&mut self, set: &mut AttrSet) {
        self.next();
        let mut source = None;
        if self.accept(K::ParenOpen) {
            let expr = self.expression();
            self.expect(K::ParenClose, "`)`");
            source = Some(set.sources.len() as u32);
            set.sources.push(expr);
        }
        while !self.at(K::Semicolon) {
            let position = self.token.start;
            match self.attr_name() {
                Some(AttrName::Static(name)) => {
                    let kind = match source {
                        Some(source) => AttrKind::InheritFrom(source),
                        None => AttrKind::Inherit(self.add(Expr::Variable(name), position)),
                    };
                    set.attrs.push(AttrDef { name, position, kind });
                }
                Some(AttrName::Dynamic(expr)) => {
                    let (from, to) = self.ast.span(expr);
                    let span = self.span(from, to);
                    self.error(
                        Diagnostic::error(
                            &diagnostics::dynamic_attribute::ENTRY,
                            "computed names are not allowed in `inherit`",
                        )
                        .label(span, "computed while evaluating")
                        .help("write `${name} = source.${name};`"),
                    );
                }
                None => {
                    self.unexpected("a name or `;`");
                    self.skip_binding();
                    return;
                }
            }
        }
        self.next();
    }

    /// Sorts by symbol; what is defined twice is merged or refused.
    fn sort(&mut self, set: &mut AttrSet) {
        set.attrs.sort_by_key(|attr| attr.name);
        if !set.attrs.windows(2).any(|pair| pair[0].name == pair[1].name) {
            return;
        }
        let mut merged: Vec<AttrDef> = Vec::with_capacity(set.attrs.len());
        for attr in std::mem::take(&mut set.attrs) {
            match merged.last().copied() {
                Some(first) if first.name == attr.name => self.merge(first, attr),
                _ => merged.push(attr),
            }
        }
        set.attrs = merged;
    }

    /// Moves the attributes of the second set into the first, if both are written out.
    fn merge(&mut self, first: AttrDef, second: AttrDef) {
        let (Some(into), Some(from)) = (self.set_of(first), self.set_of(second)) else {
            self.duplicate(first, second);
            return;
        };
        let moved = std::mem::take(&mut self.ast.sets[from.0 as usize]);
        let mut target = std::mem::take(&mut self.ast.sets[into.0 as usize]);
        let offset = target.sources.len() as u32;
        target.sources.extend(moved.sources);
        target.dynamic.extend(moved.dynamic);
        target.attrs.extend(moved.attrs.into_iter().map(|attr| match attr.kind {
            AttrKind::InheritFrom(at) => AttrDef { kind: AttrKind::InheritFrom(at + offset), ..attr },
            _ => attr,
        }));
        self.sort(&mut target);
        self.ast.sets[into.0 as usize] = target;
    }

    fn set_of(&self, attr: AttrDef) -> Option<SetId> {
        match attr.kind {
            AttrKind::Plain(expr) => match self.ast.expr(expr) {
                Expr::Set(set) => Some(set),
                _ => None,
            },
            _ => None,
        }
    }

    fn duplicate(&mut self, first: AttrDef, second: AttrDef) {
        let name = self.interner.name(first.name).to_owned();
        let len = name.len() as u32;
        let end = self.lexer.text().len() as u32;
        let diagnostic = Diagnostic::error(
            &diagnostics::duplicate_attribute::ENTRY,
            format!("the attribute `{name}` is defined twice"),
        )
        .label(self.span(second.position, (second.position + len).min(end)), "defined again here")
        .label(self.span(first.position, (first.position + len).min(end)), "first defined here")
        .help("remove one of the two definitions");
        self.error(diagnostic);
    }
}

fn insert(set: &mut AttrSet, name: AttrName, value: ExprId, position: u32) {
    match name {
        AttrName::Static(name) => set.attrs.push(AttrDef { name, position, kind: AttrKind::Plain(value) }),
        AttrName::Dynamic(name) => set.dynamic.push(DynamicAttr { name, value, position }),
    }
}
