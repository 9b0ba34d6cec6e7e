//! NV0415: a file of the cache or the lock cannot be used.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0415",
    title: "a file of the cache or the lock cannot be used",
    page: "A file or folder that is needed for locking or fetching cannot be read or written. The message names it and says why.\n\nMake room, or mend its owner and mode, and run the command again: nothing is left half done.",
    example: Example::Situation {
        story: "The disk is full while the lock is written.",
        test: "a_lock_that_cannot_be_written_stays_as_it_was",
    },
};
