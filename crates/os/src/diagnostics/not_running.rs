//! `NV0610`: the machine does not run.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0610",
    title: "the machine does not run",
    page: "The command needs a machine that runs. Start it with `nival up`.",
    example: Example::Situation {
        story: "`nival shell` is given for a machine that is down.",
        test: "a_machine_that_is_down_has_no_shell",
    },
};
