//! NV0212: division by zero.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0212",
    title: "division by zero",
    page: "A number was divided by zero.",
    example: Example::Expression("1 / 0"),
};
