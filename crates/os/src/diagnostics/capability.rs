//! `NV0623`: a file capability cannot be read.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0623",
    title: "a file capability cannot be read",
    page: "A capability has the form of `setcap`: names such as `cap_net_raw`, separated by commas, then `+ep`, `+p` or `=ep`.",
    example: Example::Situation {
        story: "The capability `cap_fly+ep` is declared.",
        test: "an_unknown_capability_is_refused",
    },
};
