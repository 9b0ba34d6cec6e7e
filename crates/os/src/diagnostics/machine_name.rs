//! `NV0604`: a machine's name cannot be a host name.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0604",
    title: "a machine's name cannot be a host name",
    page: "A machine is called by its host name: 1 to 63 of `a-z`, `0-9` and `-`, with no `-` at either end.",
    example: Example::Situation {
        story: "A machine is called `Web_1`.",
        test: "a_bad_machine_name_is_refused",
    },
};
