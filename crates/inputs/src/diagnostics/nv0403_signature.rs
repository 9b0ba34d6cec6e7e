//! NV0403: an index is not validly signed.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0403",
    title: "an index is not validly signed",
    page: "The index of a repository has no valid signature by a key that Nival knows for it. Nothing of it was used.\n\nFor Debian, the keys of its archive are part of Nival; another repository needs its public key in the configuration. A mirror that is being updated, or somebody on the way, can also be the cause: try another mirror.",
    example: Example::Situation {
        story: "A mirror hands out an index in which one byte was changed.",
        test: "a_tampered_index_is_refused",
    },
};
