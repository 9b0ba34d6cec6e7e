//! NV0220: not in the search path.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0220",
    title: "not in the search path",
    page: "`<name>` looks through `NIX_PATH` and `-I`, and found nothing.",
    example: Example::Expression("<surely/not/there>"),
};
