//! NV0216: evaluation needs too much memory.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0216",
    title: "evaluation needs too much memory",
    page: "The values of an evaluation take more memory than `max-memory` allows.",
    example: Example::Situation {
        story: "an endless list is forced with a small max-memory",
        test: "memory_is_limited",
    },
};
