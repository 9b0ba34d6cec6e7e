//! Composing roots, machines in containers, generations, plans and the journalled switch.

mod accounts;
pub mod compose;
pub mod diagnostics;
mod error;
mod ids;
pub mod manifest;
mod names;
mod state;

pub use error::Error;
pub use manifest::Manifest;
pub use names::check_machine;
pub use state::{Generation, MachineFolder, State};
