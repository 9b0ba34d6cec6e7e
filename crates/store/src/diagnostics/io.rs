//! `NV0502`: the operating system refused a call on the store.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0502",
    title: "the operating system refused a call on the store",
    page: "A file or folder of the store could not be read or written. The message names it and the system's reason.\n\nUsual reasons: the data folder belongs to another user (a command that was run with sudo once), the disk is\nmounted read-only, or the disk fails.",
    example: Example::Situation {
        story: "The store's folder belongs to somebody else.",
        test: "unreadable_store_is_said",
    },
};
