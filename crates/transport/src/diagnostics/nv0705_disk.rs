//! NV0705: what was fetched could not be written.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0705",
    title: "what was fetched could not be written",
    page: "The disk refused to take what was fetched: it is full, or the folder cannot be written to.\n\nMake room and run the command again: what was written so far is kept.",
    example: Example::Situation {
        story: "The disk is full in the middle of a download.",
        test: "a_disk_that_refuses_is_told",
    },
};
