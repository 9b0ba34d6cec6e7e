//! NV0218: values cannot be compared.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0218",
    title: "values cannot be compared",
    page: "`<` and the like compare numbers with numbers, strings with strings, paths with paths, and lists of them.",
    example: Example::Expression("1 < \"a\""),
};
