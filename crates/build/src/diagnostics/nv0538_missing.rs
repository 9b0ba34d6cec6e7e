//! NV0538: a path is missing.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0538",
    title: "a path is missing",
    page: "A path is needed that is not in the store, and nothing says how to make it: it is no output of a derivation, and no cache has it.",
    example: Example::Situation {
        story: "A source of a derivation was removed from the store.",
        test: "a_source_that_is_gone_is_told",
    },
};
