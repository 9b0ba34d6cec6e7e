//! Lexer, parser and typed syntax of the language, with spans and recovery.
//!
//! [`parse`] reads a whole file and always returns a tree together with the
//! errors that it found: a part that cannot be understood becomes
//! [`Expr::Error`]. The tree keeps the span of each expression; together with
//! the source text and [`Lexer`], which also yields comments and white space,
//! nothing that was written is lost.
//!
//! Names are interned in an [`Interner`] that the caller owns, so that equal
//! names of different files are equal numbers.

mod ast;
pub mod diagnostics;
mod indentation;
mod lexer;
mod parser;
mod symbol;

pub use ast::{
    Ast, AttrDef, AttrKind, AttrName, AttrSet, BinaryOp, DynamicAttr, Expr, ExprId, Formal, Lambda, Part,
    Range, SetId, TextId,
};
pub use lexer::{Lexer, Token, TokenKind};
pub use parser::{Parsed, parse, parse_pieces};
pub use symbol::{Interner, Symbol};
