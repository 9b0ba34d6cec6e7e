//! Lexer, lossless tree, typed syntax and formatter of the language.
