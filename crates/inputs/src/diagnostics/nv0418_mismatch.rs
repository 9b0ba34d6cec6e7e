//! NV0418: an input is not what is pinned.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0418",
    title: "an input is not what is pinned",
    page: "What was fetched has another hash, revision or time than the one that is written down. The message shows what was wanted and what there is.\n\nIf the new contents are the right ones, write the new value down; if not, somebody changed what lies at that address.",
    example: Example::Situation {
        story: "The archive at an address was replaced by another one after its hash was written down.",
        test: "another_hash_is_shown_with_the_one_that_was_wanted",
    },
};
