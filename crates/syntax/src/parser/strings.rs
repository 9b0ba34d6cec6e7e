//! Strings, indented strings and paths.

use super::Parser;
use crate::diagnostics;
use crate::indentation::{self, Piece};
use crate::lexer::TokenKind as K;
use crate::{Expr, ExprId, Part, Range};
use nival_diagnostics::Diagnostic;

impl Parser<'_> {
    /// `"..."`; the current token is the opening quote.
    pub(super) fn string(&mut self) -> ExprId {
        let start = self.token.start;
        self.lexer.seek(self.token.end as usize);
        let mut parts: Vec<Part> = Vec::new();
        let mut text: Vec<u8> = Vec::new();
        loop {
            let here = self.lexer.offset();
            let rest = &self.lexer.text()[here..];
            let run = rest.iter().position(|byte| ENDS_TEXT[usize::from(*byte)]).unwrap_or(rest.len());
            self.lexer.seek(here + run);
            if parts.is_empty() && text.is_empty() && self.lexer.byte(0) == b'"' {
                // Most strings are what is written.
                let text = self.ast.add_text(&rest[..run]);
                self.lexer.seek(here + run + 1);
                self.resume();
                return self.add(Expr::Text(text), start);
            }
            text.extend_from_slice(&rest[..run]);
            if self.lexer.at_end() {
                return self.unterminated(start, 1, "\"");
            }
            let (byte, next) = (self.lexer.byte(0), self.lexer.byte(1));
            let mut taken = 1;
            match byte {
                0 => self.zero_byte(),
                b'"' => break,
                b'\\' => {
                    text.push(unescape(next));
                    taken = 2;
                    if next == b'\r' && self.lexer.byte(2) == b'\n' {
                        taken = 3;
                    }
                }
                b'\r' => {
                    text.push(b'\n');
                    taken += usize::from(next == b'\n');
                }
                b'$' if next == b'{' => {
                    if !text.is_empty() {
                        parts.push(Part::Text(self.ast.add_text(&text)));
                        text.clear();
                    }
                    let expr = self.interpolation();
                    parts.push(Part::Expr(expr));
                    continue;
                }
                b'$' if next != b'"' && next != b'\\' => {
                    text.extend([byte, next]);
                    taken = 2;
                }
                _ => text.push(byte),
            }
            self.lexer.seek(self.lexer.offset() + taken);
        }
        self.lexer.seek(self.lexer.offset() + 1);
        self.resume();
        if parts.is_empty() {
            let text = self.ast.add_text(&text);
            return self.add(Expr::Text(text), start);
        }
        if !text.is_empty() {
            parts.push(Part::Text(self.ast.add_text(&text)));
        }
        let parts = self.parts(&parts);
        self.add(Expr::Interpolated(parts), start)
    }

    /// Reads `${ expr }` at the lexer's offset, and leaves the lexer after the `}`.
    fn interpolation(&mut self) -> ExprId {
        self.lexer.seek(self.lexer.offset() + 2);
        self.token = self.lexer.token();
        let expr = self.expression();
        if self.at(K::BraceClose) {
            self.lexer.seek(self.token.end as usize);
        } else {
            self.unexpected("`}`");
            self.lexer.seek(usize::MAX);
        }
        expr
    }

    /// Goes back to reading tokens after a string or path.
    fn resume(&mut self) {
        self.last_end = self.lexer.offset() as u32;
        self.token = self.lexer.token();
    }

    fn parts(&mut self, parts: &[Part]) -> Range {
        let start = self.ast.parts.len() as u32;
        self.ast.parts.extend_from_slice(parts);
        Range { start, len: parts.len() as u32 }
    }

    fn zero_byte(&mut self) {
        let at = self.lexer.offset() as u32;
        let span = self.span(at, at + 1);
        self.error(
            Diagnostic::error(&diagnostics::zero_byte::ENTRY, "this string holds a zero byte")
                .label(span, "")
                .help("remove it: strings cannot hold zero bytes"),
        );
    }

    fn unterminated(&mut self, start: u32, len: u32, quote: &str) -> ExprId {
        let span = self.span(start, start + len);
        self.error(
            Diagnostic::error(&diagnostics::unterminated_string::ENTRY, "this string is not closed")
                .label(span, "it starts here")
                .help(format!("close it with `{quote}`")),
        );
        self.resume();
        self.add(Expr::Error, start)
    }

    /// `''...''`; the current token is the opening quote.
    pub(super) fn indented_string(&mut self) -> ExprId {
        let start = self.token.start;
        self.lexer.seek(self.token.end as usize);
        let mut pieces: Vec<Piece> = Vec::new();
        loop {
            if self.lexer.at_end() {
                return self.unterminated(start, 2, "''");
            }
            let here = self.lexer.offset();
            let run = plain_run(&self.lexer.text()[here..]);
            if run > 0 {
                if self.lexer.text()[here..here + run].contains(&0) {
                    self.zero_byte();
                }
                pieces
                    .push(Piece::Text { text: self.lexer.text()[here..here + run].to_vec(), indents: true });
                self.lexer.seek(here + run);
                continue;
            }
            let ahead = [self.lexer.byte(0), self.lexer.byte(1), self.lexer.byte(2), self.lexer.byte(3)];
            let (text, taken): (&[u8], usize) = match ahead {
                [b'\'', b'\'', b'$', _] => (b"$", 3),
                [b'\'', b'\'', b'\'', _] => (b"''", 3),
                [b'\'', b'\'', b'\\', escaped] => {
                    pieces.push(Piece::Text { text: vec![unescape(escaped)], indents: false });
                    self.lexer.seek(here + 4);
                    continue;
                }
                [b'\'', b'\'', ..] => break,
                [b'$', b'{', ..] => {
                    let expr = self.interpolation();
                    pieces.push(Piece::Expr(expr));
                    continue;
                }
                [b'$', ..] => (b"$", 1),
                _ => (b"'", 1),
            };
            pieces.push(Piece::Text { text: text.to_vec(), indents: false });
            self.lexer.seek(here + taken);
        }
        self.lexer.seek(self.lexer.offset() + 2);
        self.resume();
        let parts = indentation::strip(&mut self.ast, &pieces);
        self.joined(start, &parts)
    }

    fn joined(&mut self, start: u32, parts: &[Part]) -> ExprId {
        match parts {
            [] => {
                let text = self.ast.add_text(b"");
                self.add(Expr::Text(text), start)
            }
            [Part::Text(text)] => self.add(Expr::Text(*text), start),
            _ if !self.keep_pieces && parts.iter().all(|part| matches!(part, Part::Text(_))) => {
                let mut whole = Vec::new();
                for part in parts {
                    if let Part::Text(text) = part {
                        whole.extend_from_slice(self.ast.text(*text));
                    }
                }
                let text = self.ast.add_text(&whole);
                self.add(Expr::Text(text), start)
            }
            _ => {
                let parts = self.parts(parts);
                self.add(Expr::Interpolated(parts), start)
            }
        }
    }

    /// A path, with or without interpolation; the current token is its first piece.
    pub(super) fn path(&mut self) -> ExprId {
        let token = self.token;
        self.lexer.seek(token.end as usize);
        let mut parts = vec![];
        let mut text = self.slice(token.start, token.end).to_vec();
        loop {
            if self.lexer.byte(0) == b'$' && self.lexer.byte(1) == b'{' {
                if !text.is_empty() {
                    parts.push(Part::Text(self.ast.add_text(&text)));
                    text.clear();
                }
                let expr = self.interpolation();
                parts.push(Part::Expr(expr));
            } else if let Some((from, to)) = self.lexer.path_piece() {
                text.extend_from_slice(&self.lexer.text()[from..to]);
            } else {
                break;
            }
        }
        let slash = text.last() == Some(&b'/');
        let end = self.lexer.offset() as u32;
        self.resume();
        if slash {
            let span = self.span(token.start, end);
            self.error(
                Diagnostic::error(&diagnostics::path_trailing_slash::ENTRY, "this path ends with a slash")
                    .label(span, "")
                    .help("remove the slash at the end"),
            );
        }
        if parts.is_empty() {
            let text = self.ast.add_text(&text);
            return self.add(Expr::Path(text), token.start);
        }
        if !text.is_empty() {
            parts.push(Part::Text(self.ast.add_text(&text)));
        }
        let parts = self.parts(&parts);
        self.add(Expr::InterpolatedPath(parts), token.start)
    }
}

/// The bytes of a string that do not just stand for themselves.
const ENDS_TEXT: [bool; 256] = {
    let mut table = [false; 256];
    let bytes = [0, b'"', b'\\', b'\r', b'$'];
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
};

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'\r' => b'\n',
        other => other,
    }
}

/// How many bytes of an indented string need no attention: neither `''`, nor `${`, nor a `$` before `''`.
fn plain_run(text: &[u8]) -> usize {
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'$' => match text.get(at + 1) {
                None | Some(b'{' | b'\'') => break,
                Some(_) => at += 2,
            },
            b'\'' => match text.get(at + 1) {
                None | Some(b'\'' | b'$') => break,
                Some(_) => at += 2,
            },
            _ => at += 1,
        }
    }
    at.min(text.len())
}
