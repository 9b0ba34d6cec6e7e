//! NV0417: an experimental feature is not switched on.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0417",
    title: "an experimental feature is not switched on",
    page: "Some parts of the language belong to experimental features of Nix, such as `flakes` or `fetch-tree`. They are switched on in nix.conf, or by the variable NIX_CONFIG: `extra-experimental-features = flakes`.",
    example: Example::Situation {
        story: "Nix is set up without flakes, and an expression fetches from a forge.",
        test: "features_that_are_off_say_so",
    },
};
