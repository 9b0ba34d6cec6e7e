//! NV0214: index is out of bounds.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0214",
    title: "index is out of bounds",
    page: "The list has no element at that index.",
    example: Example::Expression("builtins.elemAt [ 1 ] 5"),
};
