//! `NV0547`: a store's daemon refused.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0547",
    title: "a store's daemon refused",
    page: "A machine with a multi-user store has a daemon that does what users may not do themselves. It could not be reached, said no,\nor speaks a protocol that is not understood. The message has its own words.",
    example: Example::Situation {
        story: "The socket of a daemon leads nowhere.",
        test: "daemon_that_is_not_there_is_said",
    },
};
