//! `NV0601`: the operating system refused a change to a machine.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0601",
    title: "the operating system refused a change to a machine",
    page: "A file, mount, namespace or process that a machine needs could not be made or read. The message names the call's\nobject and what the system said.\n\nWhat was there before is untouched: a machine that runs goes on running. Mend the cause and give the command again.",
    example: Example::Situation {
        story: "The machine's folder cannot be written.",
        test: "a_folder_that_cannot_be_written_is_named",
    },
};
