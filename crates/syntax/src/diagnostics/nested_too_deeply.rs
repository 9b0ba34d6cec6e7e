//! NV0109: expression is nested too deeply.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0109",
    title: "expression is nested too deeply",
    page: "Brackets, functions and operators are nested more than 10,000 levels deep at the marked place.",
    example: Example::Situation {
        story: "a file of ten thousand opening brackets",
        test: "deep_nesting_is_refused",
    },
};
