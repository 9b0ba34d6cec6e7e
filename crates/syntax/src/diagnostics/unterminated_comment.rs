//! NV0103: comment is not closed.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0103",
    title: "comment is not closed",
    page: "A comment that starts with `/*` needs `*/` at its end. Comments do not nest.",
    example: Example::Expression("1 /* never closed"),
};
