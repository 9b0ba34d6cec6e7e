//! NV0107: path ends with a slash.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0107",
    title: "path ends with a slash",
    page: "A path literal must not end with `/`. Remove it, or write a string.",
    example: Example::Expression("./folder/"),
};
