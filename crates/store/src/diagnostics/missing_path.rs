//! `NV0544`: no store has a path that is needed.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0544",
    title: "no store has a path that is needed",
    page: "A path is in no store that was asked, or each store that has it failed. The notes say what was wrong with each.",
    example: Example::Situation {
        story: "A path that no cache has is asked for.",
        test: "path_that_nobody_has_is_said",
    },
};
