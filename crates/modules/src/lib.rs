//! Options, types, definitions, priorities, and the origin of each value.
//!
//! The meaning is that of `lib.evalModules` of nixpkgs (2026): modules are
//! gathered through `imports`, their options form a tree, and each option's value is
//! merged from its definitions by its type, lazily. What is added: each value knows
//! who set it, and each error is coded and marks the user's own line.
//!
//! Entry points: [`evaluate`] for Rust, [`native`] for the library, which hands the
//! engine to code of the language as `evalModules`.
//!
//! **Invariant**: nothing is forced that the original would not force; above all,
//! conditions of `mkIf` are looked at only when the option they guard is.

mod collect;
mod definition;
pub mod diagnostics;
mod evaluation;
mod extension;
mod freeform;
mod location;
mod native;
mod nixpkgs;
mod option;
mod origins;
mod settings;
mod tree;
mod types;
mod unmatched;

pub use definition::Definition;
pub use evaluation::{Evaluated, OnDemand, Request, evaluate};
pub use location::{LIBRARY_ROOT, Location};
pub use native::native;
pub use nixpkgs::NativeModules;
pub use origins::{Leaf, leaves};
