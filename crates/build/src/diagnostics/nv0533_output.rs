//! NV0533: outputs were refused.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0533",
    title: "outputs were refused",
    page: "An output is missing, holds what a store cannot hold (a device, a socket, a pipe), is writable by others, or refers to what the derivation forbids (`allowedReferences`, `disallowedRequisites` and the like).",
    example: Example::Situation {
        story: "A builder ends well, but never made its output.",
        test: "an_output_that_is_missing_is_told",
    },
};
