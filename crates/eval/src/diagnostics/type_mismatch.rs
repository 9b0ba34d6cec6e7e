//! NV0203: value has the wrong type.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0203",
    title: "value has the wrong type",
    page: "An operator, a builtin or a function needs another type of value than it got.",
    example: Example::Expression("1 + \"a\""),
};
