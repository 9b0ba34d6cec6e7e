//! NV0408: a release is not known.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0408",
    title: "a release is not known",
    page: "A configuration names a release of Debian that Nival has no keys for.\n\nUse one of the releases that the message lists, by its code name.",
    example: Example::Situation {
        story: "A configuration asks for the release `bullseye`.",
        test: "an_unknown_release_is_told",
    },
};
