//! NV0424: a flake.lock cannot be used.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0424",
    title: "a flake.lock cannot be used",
    page: "The lock file of a flake is malformed, or would have to be changed where that is not allowed.",
    example: Example::Situation {
        story: "An input was added, and the command may not write the lock file.",
        test: "locks_that_may_not_change_are_an_error",
    },
};
