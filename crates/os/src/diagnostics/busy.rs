//! `NV0618`: another switch of this machine is under way.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0618",
    title: "another switch of this machine is under way",
    page: "A switch goes on inside of the machine even when the command that asked for it was ended. Wait for it:\n`nival status` shows when it is over.",
    example: Example::Situation {
        story: "Two switches are asked for at once.",
        test: "a_second_switch_is_refused",
    },
};
