//! NV0202: attribute is missing.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0202",
    title: "attribute is missing",
    page: "The set does not have the attribute that is selected. Write `set.name or default` where it may be missing.",
    example: Example::Expression("{ a = 1; }.b"),
};
