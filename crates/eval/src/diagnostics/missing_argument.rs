//! NV0210: required argument is missing.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0210",
    title: "required argument is missing",
    page: "A function with named arguments was called without one that has no default.",
    example: Example::Expression("({ a }: a) { }"),
};
