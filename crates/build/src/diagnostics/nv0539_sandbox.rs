//! NV0539: the place for a builder could not be made.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0539",
    title: "the place for a builder could not be made",
    page: "The namespaces, mounts, users or folders that a builder is confined with could not be made. The message says which step failed.",
    example: Example::Situation {
        story: "`/proc` of this host is covered in parts, as in some containers, and the builder's own cannot be mounted.",
        test: "a_place_that_cannot_be_made_is_told",
    },
};
