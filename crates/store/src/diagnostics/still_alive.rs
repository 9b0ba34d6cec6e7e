//! `NV0516`: a path is still alive.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0516",
    title: "a path is still alive",
    page: "A path that a root leads to, or that a path which stays refers to, cannot be deleted. Roots are links below `gcroots` and\n`profiles`, generations of machines, programs at work, and files that running processes use.\n\n`nival why PATH` shows the way from the root.",
    example: Example::Situation {
        story: "A path that a root leads to is to be deleted.",
        test: "rooted_path_is_not_deleted",
    },
};
