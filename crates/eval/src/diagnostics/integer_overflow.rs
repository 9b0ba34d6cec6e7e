//! NV0213: integer overflow.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0213",
    title: "integer overflow",
    page: "The result does not fit into an integer of 64 bits.",
    example: Example::Expression("9223372036854775807 + 1"),
};
