//! What a derivation asks of its build beside its builder: options, files, environment.

mod environment;
mod options;
mod resolve;
mod structured;

pub use environment::{Place, Prepared, prepare, validity_registration};
pub use options::{Checks, OutputChecks, Reference, Wishes};
pub use resolve::{downstream_placeholder, must_resolve, output_placeholder, resolve, rewrite};
pub use structured::{Structured, structured_attributes};
