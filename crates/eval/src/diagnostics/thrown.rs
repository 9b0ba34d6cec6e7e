//! NV0204: error raised with throw.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0204",
    title: "error raised with throw",
    page: "The evaluated code called `throw`; the message is its own.",
    example: Example::Expression("throw \"no\""),
};
