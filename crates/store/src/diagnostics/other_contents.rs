//! `NV0512`: contents have another hash than was said.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0512",
    title: "contents have another hash than was said",
    page: "What arrived for a path does not have the hash or the size that was said of it. Nothing was registered.\n\nA transfer that was cut short can be repeated; otherwise do not trust the sender.",
    example: Example::Situation {
        story: "A tree is registered under the hash of another one.",
        test: "claimed_hash_is_checked",
    },
};
