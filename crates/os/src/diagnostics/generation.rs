//! `NV0617`: there is no such generation.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0617",
    title: "there is no such generation",
    page: "The number is not among those that `nival generations` lists.",
    example: Example::Situation {
        story: "A rollback to generation 99 is asked for.",
        test: "an_unknown_generation_is_refused",
    },
};
