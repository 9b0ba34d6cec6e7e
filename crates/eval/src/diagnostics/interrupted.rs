//! NV0215: evaluation was interrupted.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0215",
    title: "evaluation was interrupted",
    page: "Somebody pressed Ctrl-C, or the program was asked to end.",
    example: Example::Situation {
        story: "the interrupt flag is set while a long list is summed",
        test: "interruption_ends_an_evaluation",
    },
};
