//! NV0706: a transfer was cancelled.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0706",
    title: "a transfer was cancelled",
    page: "The command was interrupted while it fetched files. What has arrived is kept, and the next run goes on from there.",
    example: Example::Situation {
        story: "Somebody presses Ctrl-C during a download.",
        test: "a_cancelled_download_ends_and_keeps_what_it_has",
    },
};
