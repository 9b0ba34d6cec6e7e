//! `NV0511`: a content address gives another path.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0511",
    title: "a content address gives another path",
    page: "A path that claims to be named by its contents must have the name that follows from the claimed hash. This one has\nnot, so either the claim or the path is wrong, and nothing was registered.\n\nBring the path from another place.",
    example: Example::Situation {
        story: "A path is registered with the address of other contents.",
        test: "claimed_address_is_checked",
    },
};
