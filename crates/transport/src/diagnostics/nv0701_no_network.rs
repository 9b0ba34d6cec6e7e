//! NV0701: no server could be reached.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0701",
    title: "no server could be reached",
    page: "None of the servers that have the file could be reached: no connection, no answer in time, or no address for the name.\n\nCheck the network, and the proxy if there is one (`http_proxy`, `https_proxy`, `no_proxy`). Nothing is lost: what has arrived is kept, and what is in the store already needs no network.",
    example: Example::Situation {
        story: "A package is to be fetched on a machine without a network.",
        test: "no_network_is_told_apart",
    },
};
