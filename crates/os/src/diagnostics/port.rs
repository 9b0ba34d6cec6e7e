//! `NV0616`: a port of this host is taken.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0616",
    title: "a port of this host is taken",
    page: "Another program listens on the port that was to be published. Choose another one, or `0` for one that is free.",
    example: Example::Situation {
        story: "A port that is taken is published.",
        test: "a_taken_port_is_refused",
    },
};
