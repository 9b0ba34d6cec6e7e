//! `NV0609`: the machine runs already.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0609",
    title: "the machine runs already",
    page: "A machine runs once at a time: its data would be damaged otherwise. Use `nival switch` to change it, or `nival down`\nfirst.",
    example: Example::Situation { story: "`nival up` is given twice.", test: "a_second_up_is_refused" },
};
