//! `NV0820`: a selection path leads nowhere.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0820",
    title: "a selection path leads nowhere",
    page: "A selection path (`-A packages.hello`, or what is behind `#`) names attributes of sets and places in lists, one after the other, beginning with what the file or expression evaluates to. Functions on the way are called with the arguments of `--arg` and `--argstr`.\n\nThe message names the first part that is not there.",
    example: Example::Situation {
        story: "An attribute is named with `-A` that the file does not have.",
        test: "selection_that_leads_nowhere",
    },
};
