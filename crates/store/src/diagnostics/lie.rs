//! `NV0543`: a store sent something else than it said.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0543",
    title: "a store sent something else than it said",
    page: "Everything that arrives is hashed and counted while it is unpacked. What arrived here has another hash, size or content\naddress than the store itself said. It was removed again, and nothing was registered.",
    example: Example::Situation {
        story: "A cache hands out an archive of another path.",
        test: "lying_cache_is_named",
    },
};
