//! Composing roots, machines in containers, generations, plans and the journalled switch.

mod accounts;
mod checks;
pub mod compose;
mod container;
pub mod diagnostics;
mod error;
mod host;
mod ids;
pub mod image;
mod internal;
mod machines;
pub mod manifest;
mod names;
pub mod plan;
mod state;
mod supervisor;
mod switch;

pub use error::Error;
pub use internal::internal_main;
pub use machines::{Config, HostUnit, Machines, Program, Status, Up};
pub use manifest::Manifest;
pub use names::check_machine;
pub use state::{Ended, Generation, MachineFolder, State};
pub use supervisor::protocol::{Event, Publish};
pub use switch::{Stage, SwitchEvent, Switched};
