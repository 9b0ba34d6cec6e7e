//! NV0537: something that is needed was not built.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0537",
    title: "something that is needed was not built",
    page: "What was asked for was not built, because something that it needs failed. The failures themselves are told before.",
    example: Example::Situation {
        story: "A derivation needs another one whose builder fails.",
        test: "a_failure_is_told_before_what_depends_on_it",
    },
};
