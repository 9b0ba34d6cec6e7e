//! The indentation of `''` strings: what all lines have in common is dropped.

use crate::{Ast, ExprId, Part};

/// A piece of an indented string as the lexer cuts it.
pub(crate) enum Piece {
    /// Text; `indents` is false for what an escape made.
    Text { text: Vec<u8>, indents: bool },
    /// An interpolation.
    Expr(ExprId),
}

/// Drops the common indentation and a last line of only spaces.
pub(crate) fn strip(ast: &mut Ast, pieces: &[Piece]) -> Vec<Part> {
    let indentation = common(pieces);
    let mut parts = Vec::new();
    let mut line_start = true;
    let mut dropped = 0;
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Expr(expr) => {
                line_start = false;
                dropped = 0;
                parts.push(Part::Expr(*expr));
            }
            Piece::Text { text, .. } => {
                let mut kept = Vec::with_capacity(text.len());
                for &byte in text {
                    if line_start {
                        match byte {
                            b' ' => {
                                dropped += 1;
                                if dropped > indentation {
                                    kept.push(byte);
                                }
                                continue;
                            }
                            b'\n' => dropped = 0,
                            _ => {
                                line_start = false;
                                dropped = 0;
                            }
                        }
                        kept.push(byte);
                    } else {
                        kept.push(byte);
                        line_start = byte == b'\n';
                    }
                }
                if at + 1 == pieces.len()
                    && let Some(line) = kept.iter().rposition(|b| *b == b'\n')
                    && kept[line + 1..].iter().all(|b| *b == b' ')
                {
                    kept.truncate(line + 1);
                }
                if !kept.is_empty() {
                    parts.push(Part::Text(ast.add_text(&kept)));
                }
            }
        }
    }
    parts
}

fn common(pieces: &[Piece]) -> usize {
    let mut line_start = true;
    let mut least = usize::MAX;
    let mut current = 0;
    for piece in pieces {
        let Piece::Text { text, indents: true } = piece else {
            if line_start {
                line_start = false;
                least = least.min(current);
            }
            continue;
        };
        for byte in text {
            if line_start {
                match byte {
                    b' ' => current += 1,
                    b'\n' => current = 0,
                    _ => {
                        line_start = false;
                        least = least.min(current);
                    }
                }
            } else if *byte == b'\n' {
                line_start = true;
                current = 0;
            }
        }
    }
    least
}
