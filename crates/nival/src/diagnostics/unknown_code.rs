//! `NV0831`: there is no such code.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0831",
    title: "there is no such code",
    page: r#"A code has the letters `NV` and four digits; the first two of them name the part of Nival that raises it.

`nival explain` without a code lists all of them."#,
    example: Example::Situation { story: "nival explain NV9999 is typed.", test: "explain_unknown_code" },
};
