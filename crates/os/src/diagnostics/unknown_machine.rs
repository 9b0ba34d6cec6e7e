//! `NV0611`: there is no machine of this name.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0611",
    title: "there is no machine of this name",
    page: "No data of such a machine is in the data folder. `nival status` lists all machines.",
    example: Example::Situation {
        story: "`nival logs` is given for a name that was never used.",
        test: "an_unknown_machine_is_refused",
    },
};
