//! NV0536: this machine cannot build it.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0536",
    title: "this machine cannot build it",
    page: "The derivation is for another system than this machine's, needs features that this machine does not have, or asks for what the settings forbid.",
    example: Example::Situation {
        story: "A derivation is for `riscv64-linux`.",
        test: "a_derivation_of_another_system_is_refused",
    },
};
