//! Tests of the built-in builders.

mod hostile;
mod package;
mod unpacking;
