//! NV0427: something about an input is worth knowing.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0427",
    title: "something about an input is worth knowing",
    page: "A warning about an input: a git tree has changes that are not committed, a server could not be reached and what was fetched earlier is used, a registry is malformed.",
    example: Example::Situation {
        story: "A git tree with uncommitted changes is fetched.",
        test: "working_trees_are_taken_as_they_are",
    },
};
