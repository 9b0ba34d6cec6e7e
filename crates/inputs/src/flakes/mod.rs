//! Flakes: references, `flake.nix`, and the lock file that pins the inputs.
//!
//! A `flake.nix` is read as a tree of plain values, without evaluating anything; so
//! locking needs no evaluator. What the outputs are is for the engine to find out.

mod difference;
mod lock;
mod lock_file;
mod read;
mod reference;
mod write;

pub use difference::difference;
pub use lock::{LockFlags, LockedFlake, flake_config, lock_flake};
pub use lock_file::{Edge, InputPath, LockFile, Locked, Node, NodeId, parse_input_path};
pub use read::{ConfigValue, Flake, FlakeInput};
pub use reference::{FlakeReference, How};
