//! NV0406: an index cannot be used.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0406",
    title: "an index cannot be used",
    page: "An index is malformed, lacks what it must have, or does not list packages for this architecture.\n\nRun the command again: a mirror may be in the middle of an update. If it stays, use another mirror.",
    example: Example::Situation {
        story: "A repository has no packages for the architecture of this machine.",
        test: "an_index_without_the_architecture_is_told",
    },
};
