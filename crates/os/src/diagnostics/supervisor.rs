//! `NV0621`: the process that holds the machine is gone.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0621",
    title: "the process that holds the machine is gone",
    page: "The supervisor of this machine was killed, or ended with an error that its log holds. The machine was stopped with it,\nand its data is whole. Start it again with `nival up`.",
    example: Example::Situation {
        story: "The supervisor is killed.",
        test: "a_killed_supervisor_takes_its_machine_along",
    },
};
