//! NV0111: string holds a zero byte.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0111",
    title: "string holds a zero byte",
    page: "Strings of the language cannot hold a byte that is zero. The file is perhaps not a text at all, or was written in UTF-16.",
    example: Example::Expression("\"a\0b\""),
};
