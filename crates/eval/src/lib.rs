//! Values, laziness, string contexts and builtins; asks the World trait for everything outside.
//!
//! An [`Evaluator`] owns a heap, all names, all sources and the program that was
//! compiled from them. [`Value`]s are handles into it. What is outside (files,
//! the store, the network, the clock) it reaches through a [`World`] only.
//!
//! **Invariants**: no file, clock, environment, process or thread is touched
//! here; nothing panics on any input; deep recursion and a full heap end in
//! coded errors; there is no global mutable state.

mod api;
mod attrs;
mod builtins;
mod code;
mod compile;
mod context;
pub mod diagnostics;
mod error;
mod evaluator;
mod graft;
mod heap;
mod lint;
mod paths;
mod profile;
mod run;
mod secret;
mod suggest;
mod symbols;
mod text;
mod value;
mod world;

pub use api::{Attribute, Coercion, Formal, Formals};
pub use context::{ContextElement, ContextId};
pub use error::{EvalError, EvalResult, own_file_first};
pub use evaluator::{Evaluator, Settings};
pub use graft::{Graft, Grafting};
pub use lint::{Lint, Lints};
pub use nival_syntax::Symbol;
pub use profile::{FrameKind, ProfileFrame};
pub use suggest::nearest;
pub use text::Pretty;
pub use value::{Kind, Value};
pub use world::{AddPath, FetchKind, FetchRequest, FetchValue, FileType, World, WorldResult};
