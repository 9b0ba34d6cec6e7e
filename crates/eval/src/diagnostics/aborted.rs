//! NV0206: evaluation was aborted.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0206",
    title: "evaluation was aborted",
    page: "The evaluated code called `abort`; the message is its own.",
    example: Example::Expression("abort \"no\""),
};
