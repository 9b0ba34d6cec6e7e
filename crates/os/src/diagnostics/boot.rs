//! `NV0612`: the machine did not boot.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0612",
    title: "the machine did not boot",
    page: "The container was made, but its process 1 did not start, or ended. The message holds what is known.",
    example: Example::Situation {
        story: "The root of a machine holds no systemd.",
        test: "a_root_without_systemd_is_refused",
    },
};
