//! `NV0507`: a path refers to what is not in the store.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0507",
    title: "a path refers to what is not in the store",
    page: "What a path refers to must be in the store before the path itself is registered, or the store would not be whole.\n\nThis is seen when a path is copied without its closure: copy the closure.",
    example: Example::Situation {
        story: "A path is registered before what it refers to.",
        test: "missing_reference_is_refused",
    },
};
