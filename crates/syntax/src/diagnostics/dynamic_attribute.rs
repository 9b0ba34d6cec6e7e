//! NV0108: computed attribute name is not allowed here.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0108",
    title: "computed attribute name is not allowed here",
    page: "The names that `let` and `inherit` define must be known while reading; `${...}` is for attribute sets.",
    example: Example::Expression("let ${\"a\" + \"b\"} = 1; in ab"),
};
