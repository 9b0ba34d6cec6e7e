//! NV0211: not a function.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0211",
    title: "not a function",
    page: "Something that is no function was called. Often a `;` is missing, or parentheses around an argument that is itself a call.",
    example: Example::Expression("1 2"),
};
