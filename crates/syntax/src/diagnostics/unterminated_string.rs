//! NV0102: string is not closed.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0102",
    title: "string is not closed",
    page: "A string that starts at the marked place has no closing quote before the end of the file. Strings that start with `\"` end with `\"`, those that start with `''` end with `''`.",
    example: Example::Expression("''never closed"),
};
