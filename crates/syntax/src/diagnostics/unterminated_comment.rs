//! NV0103: comment is not closed.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0103",
    title: "comment is not closed",
    page: "A comment that starts with `/*` needs `*/` at its end; all that follows would be part of it. Comments do not nest,\nso the first `*/` ends it.\n\nWrite the missing `*/`.",
    example: Example::Expression("1 /* never closed"),
};
