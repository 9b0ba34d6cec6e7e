//! NV0525: unpacking was cancelled.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0525",
    title: "unpacking was cancelled",
    page: "The command was interrupted while it unpacked packages. What was half done was taken away.",
    example: Example::Situation {
        story: "Somebody presses Ctrl-C while packages are unpacked.",
        test: "unpacking_ends_when_it_is_cancelled",
    },
};
