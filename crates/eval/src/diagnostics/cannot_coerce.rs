//! NV0217: value cannot be turned into a string.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0217",
    title: "value cannot be turned into a string",
    page: "Only strings, paths, and sets with `outPath` or `__toString` can be interpolated. `toString` also takes numbers, Booleans, `null` and lists.",
    example: Example::Expression("\"${1}\""),
};
