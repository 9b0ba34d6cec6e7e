//! NV0219: computed attribute is defined twice.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0219",
    title: "computed attribute is defined twice",
    page: "A computed attribute name is the same as another one of the set.",
    example: Example::Expression("{ a = 1; ${\"a\" + \"\"} = 2; }"),
};
