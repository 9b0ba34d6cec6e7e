//! NV0222: data cannot be read.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0222",
    title: "data cannot be read",
    page: "A text is not valid JSON or TOML, or a file cannot be a string.",
    example: Example::Expression("builtins.fromJSON \"{\""),
};
