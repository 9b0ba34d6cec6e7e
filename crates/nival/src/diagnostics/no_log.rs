//! NV0838: there is no log of a build.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0838",
    title: "there is no log of this build",
    page: "A log is kept of everything that is built on this machine. What was brought from a cache has its log there, if \
anywhere.",
    example: Example::Situation {
        story: "`nival log` names a path that was copied into the store.",
        test: "a_log_that_is_missing_is_told",
    },
};
