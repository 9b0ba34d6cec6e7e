//! `NV0541`: a binary cache cannot be used.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0541",
    title: "a binary cache cannot be used",
    page: "A binary cache says something that cannot be, is for another store directory, lacks a file that it names, or can only\nbe read. The message names the cache and what it said. Paths that are in the store already need no cache.",
    example: Example::Situation {
        story: "A folder that is for another store directory is used as a cache.",
        test: "cache_for_another_store_is_refused",
    },
};
