//! From tokens to the tree: recursive descent with operator precedence.

mod expressions;
mod functions;
mod sets;
mod strings;

use crate::diagnostics;
use crate::lexer::{Lexer, Token, TokenKind};
use crate::{Ast, Expr, ExprId, Interner, Symbol};
use nival_diagnostics::{Diagnostic, SourceId, Span};

/// How deeply expressions may be nested.
const MAX_DEPTH: u32 = 10_000;
/// How many errors of one file are kept.
const MAX_ERRORS: usize = 20;

/// A file that was read.
#[derive(Debug)]
pub struct Parsed {
    /// The tree; with holes if there are errors.
    pub ast: Ast,
    /// The whole file's expression.
    pub root: ExprId,
    /// What is wrong, in the order of the text.
    pub errors: Vec<Diagnostic>,
}

/// Reads a whole file.
pub fn parse(text: &[u8], source: SourceId, interner: &mut Interner) -> Parsed {
    parse_file(Parser::new(text, source, interner))
}

/// Reads a whole file for printing: an indented string stays in the pieces that its escapes cut it into.
pub fn parse_pieces(text: &[u8], source: SourceId, interner: &mut Interner) -> Parsed {
    parse_file(Parser { keep_pieces: true, ..Parser::new(text, source, interner) })
}

fn parse_file(mut parser: Parser<'_>) -> Parsed {
    let root = parser.expression();
    if parser.token.kind != TokenKind::End {
        parser.unexpected("the end of the file");
    }
    let Parser { ast, errors, .. } = parser;
    Parsed { ast, root, errors }
}

pub(crate) struct Parser<'a> {
    lexer: Lexer<'a>,
    token: Token,
    /// The end of the token before `token`.
    last_end: u32,
    pub(crate) ast: Ast,
    interner: &'a mut Interner,
    source: SourceId,
    errors: Vec<Diagnostic>,
    depth: u32,
    scratch: Vec<ExprId>,
    current_position: Symbol,
    /// Whether the pieces of an indented string stay apart.
    keep_pieces: bool,
}

impl<'a> Parser<'a> {
    fn new(text: &'a [u8], source: SourceId, interner: &'a mut Interner) -> Self {
        let mut lexer = Lexer::new(text);
        let token = lexer.token();
        let current_position = interner.intern("__curPos");
        let mut ast = Ast::default();
        ast.exprs.reserve(text.len() / 8);
        ast.spans.reserve(text.len() / 8);
        Self {
            lexer,
            token,
            last_end: 0,
            ast,
            interner,
            source,
            errors: Vec::new(),
            depth: 0,
            scratch: Vec::new(),
            current_position,
            keep_pieces: false,
        }
    }

    fn next(&mut self) -> Token {
        let token = self.token;
        self.last_end = token.end;
        self.token = self.lexer.token();
        token
    }

    /// The token after the current one.
    fn peek(&self) -> Token {
        self.lexer.clone().token()
    }

    fn at(&self, kind: TokenKind) -> bool {
        self.token.kind == kind
    }

    fn accept(&mut self, kind: TokenKind) -> bool {
        let found = self.at(kind);
        if found {
            self.next();
        }
        found
    }

    fn expect(&mut self, kind: TokenKind, what: &str) -> bool {
        let found = self.accept(kind);
        if !found {
            self.unexpected(what);
        }
        found
    }

    /// As [`Self::expect`], for what closes the bracket at `open`, which is shown where it is not closed.
    fn close(&mut self, kind: TokenKind, what: &str, open: u32) {
        if self.expect(kind, what) {
            return;
        }
        // The innermost bracket is the first to come here, and it may have been found to be open before.
        let at = self.token.start;
        let is_of_here = |error: &mut Diagnostic| {
            error.labels.first().is_some_and(|label| label.span.start >= at)
                && !error.labels.iter().any(|label| label.text.ends_with("is not closed"))
        };
        if let Some(error) = self.errors.pop_if(is_of_here) {
            let bracket = String::from_utf8_lossy(self.slice(open, open + 1)).into_owned();
            let span = self.span(open, open + 1);
            self.errors.push(error.label(span, format!("this `{bracket}` is not closed")));
        }
    }

    fn slice(&self, start: u32, end: u32) -> &'a [u8] {
        &self.lexer.text()[start as usize..end as usize]
    }

    fn symbol(&mut self, start: u32, end: u32) -> Symbol {
        self.symbol_of(self.slice(start, end))
    }

    fn symbol_of(&mut self, name: &[u8]) -> Symbol {
        self.interner.intern_bytes(name)
    }

    fn add(&mut self, expr: Expr, start: u32) -> ExprId {
        // What is missing begins behind the last token, and has no end of its own.
        self.ast.add(expr, start, self.last_end.max(start))
    }

    fn span(&self, start: u32, end: u32) -> Span {
        Span { source: self.source, start, end }
    }

    fn error(&mut self, diagnostic: Diagnostic) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(diagnostic);
        }
    }

    /// Reports the current token; `wanted` names what would have been understood.
    fn unexpected(&mut self, wanted: &str) {
        let span = self.span(self.token.start, self.token.end);
        let already =
            self.errors.last().and_then(|e| e.labels.first()).is_some_and(|l| l.span.start >= span.start);
        if already {
            return;
        }
        let diagnostic = match self.token.kind {
            TokenKind::UnterminatedComment => {
                Diagnostic::error(&diagnostics::unterminated_comment::ENTRY, "this comment is not closed")
                    .label(self.span(span.start, span.start + 2), "it starts here")
                    .help("close it with `*/`")
            }
            kind => {
                let found = match kind {
                    TokenKind::End => "the end of the file".to_owned(),
                    _ => format!("`{}`", String::from_utf8_lossy(self.slice(span.start, span.end))),
                };
                let mut made = Diagnostic::error(
                    &diagnostics::unexpected_token::ENTRY,
                    format!("expected {wanted}, found {found}"),
                )
                .label(span, format!("expected {wanted}"));
                if wanted == "`;`" {
                    let end = self.last_end;
                    made =
                        made.label(self.span(end.saturating_sub(1), end), "the definition before ends here");
                    made = made.help("each definition of a set or `let` ends with `;`");
                }
                match hint(wanted, kind) {
                    Some(hint) => made.help(hint),
                    None => made,
                }
            }
        };
        self.error(diagnostic);
    }

    fn nested(&mut self, read: fn(&mut Self) -> ExprId) -> ExprId {
        self.nested_at(read, |parser, read| read(parser))
    }

    /// Runs `read` one level deeper, on a stack that has room, or refuses.
    fn nested_at<T>(&mut self, with: T, read: fn(&mut Self, T) -> ExprId) -> ExprId {
        if self.depth >= MAX_DEPTH {
            let (start, end) = (self.token.start, self.token.end);
            if self.token.kind != TokenKind::End {
                let span = self.span(start, end);
                self.error(
                    Diagnostic::error(
                        &diagnostics::nested_too_deeply::ENTRY,
                        "this expression is nested too deeply",
                    )
                    .label(span, format!("more than {MAX_DEPTH} levels"))
                    .help("name parts of it with `let`"),
                );
            }
            self.lexer.seek(usize::MAX);
            self.next();
            return self.add(Expr::Error, start);
        }
        self.depth += 1;
        let result = if self.depth.is_multiple_of(16) {
            stacker::maybe_grow(128 * 1024, 4 * 1024 * 1024, || read(self, with))
        } else {
            read(self, with)
        };
        self.depth -= 1;
        result
    }
}

/// What may have been meant, by what was expected and what was found.
fn hint(wanted: &str, found: TokenKind) -> Option<&'static str> {
    Some(match (wanted, found) {
        ("`;`", TokenKind::Comma) => "definitions end with `;`, not with `,`",
        ("`)`", TokenKind::Comma) => "arguments stand behind the function, without commas: `f x y`",
        ("`.` or `=`", TokenKind::Colon) => "a value is given with `=`: `name = value;`",
        ("the end of the file", TokenKind::Assign) => "definitions stand in a set: `{ name = value; }`",
        ("`,`", _) => "a function's arguments are separated by commas: `{ a, b, ... }: body`",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::Interner;
    use nival_diagnostics::SourceId;

    #[test]
    fn an_error_never_ends_before_it_begins() {
        let text = b"let c = { inherit \n  with'\"= with { car\x1b  { a _ \"${a}\";c { _ \"${ ]\n";
        let parsed = parse(text, SourceId(0), &mut Interner::default());
        assert!(!parsed.errors.is_empty());
        for label in parsed.errors.iter().flat_map(|error| &error.labels) {
            assert!(label.span.start <= label.span.end, "{label:?}");
        }
    }

    /// The first error of a text: what it says, what it marks besides its place, and what it advises.
    fn said(text: &str) -> (String, Vec<(u32, String)>, Vec<String>) {
        let parsed = parse(text.as_bytes(), SourceId(0), &mut Interner::default());
        let error = parsed.errors.into_iter().next().unwrap();
        let others = error.labels.iter().skip(1).map(|label| (label.span.start, label.text.clone()));
        (error.message.clone(), others.collect(), error.help.clone())
    }

    #[test]
    fn brackets_that_stay_open_are_shown() {
        for (text, bracket, place) in [
            ("{ a = 1; b = { c = 2; }", "{", 0),
            ("{ a = 1; b = { c = 2; ", "{", 13),
            ("{ a = [ 1 2; b = 3; }", "[", 6),
            ("{ a = (1 + 2; b = 3; }", "(", 6),
        ] {
            let (_, others, _) = said(text);
            let shown: Vec<_> = others.iter().filter(|(_, text)| text.ends_with("is not closed")).collect();
            assert_eq!(shown, [&(place, format!("this `{bracket}` is not closed"))], "{text}: {others:?}");
        }
        // No bracket stands where the file ends.
        for text in ["rec", "let", "rec x", "rec ;"] {
            let (message, others, _) = said(text);
            assert!(message.starts_with("expected"), "{text}: {message}");
            assert!(!others.iter().any(|(_, text)| text.starts_with("this `")), "{text}: {others:?}");
        }
        assert_eq!(said("{ a = 1 b = 2; }").1, [(8, "the definition before ends here".to_owned())]);
    }

    #[test]
    fn what_other_languages_would_have_is_explained() {
        for (text, message, advice) in [
            ("{ lib pkgs, ... }: lib", "expected `,`, found `pkgs`", "separated by commas"),
            ("{ a = 1, b = 2; }", "expected `;`, found `,`", "not with `,`"),
            ("f(x, y)", "expected `)`, found `,`", "without commas"),
            ("{ a: 1; }", "expected `.` or `=`, found `:`", "with `=`"),
            ("x = 1", "expected the end of the file, found `=`", "in a set"),
        ] {
            let (said, _, help) = said(text);
            assert_eq!(said, message);
            assert!(help.iter().any(|text| text.contains(advice)), "{text}: {help:?}");
        }
    }
}
