//! `NV0513`: a derivation cannot be read.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0513",
    title: "a derivation cannot be read",
    page: "A file whose name ends in `.drv` does not hold a derivation in the form that Nix writes.\n\nIt was damaged (`nival verify` tells), or made by hand, or by a newer program.",
    example: Example::Situation {
        story: "A text that is no derivation is registered with a name in `.drv`.",
        test: "damaged_derivation_is_said",
    },
};
