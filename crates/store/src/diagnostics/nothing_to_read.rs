//! `NV0518`: a store that may only be read does not exist.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0518",
    title: "a store that may only be read does not exist",
    page: "A store was opened with `read-only=true`, so nothing is made, and there is no database to read from.\n\nName a folder that holds a store, or leave `read-only` out once so that it is made.",
    example: Example::Situation {
        story: "A folder without a store is opened as one that may only be read.",
        test: "store_that_is_only_read_must_exist",
    },
};
