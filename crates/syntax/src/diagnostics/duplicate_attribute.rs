//! NV0104: attribute is defined twice.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0104",
    title: "attribute is defined twice",
    page: "One set (or one `let`) defines the same attribute more than once. Only sets that are written out in both places are merged: `{ a.b = 1; a.c = 2; }`.\n\nRemove one of the two definitions, or merge them.",
    example: Example::Expression("{ a = 1; a = 2; }"),
};
