//! Tests of versions, indices and choices.

mod choices;
mod versions;
