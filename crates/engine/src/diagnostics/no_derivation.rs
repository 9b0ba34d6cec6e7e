//! `NV0821`: a value is no derivation.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0821",
    title: "a value is no derivation",
    page: "Only derivations can be instantiated and built: what `derivation` returns, lists of them, and sets of them. In a set within a set they are looked for where that says `recurseForDerivations = true`.",
    example: Example::Situation {
        story: "A number is instantiated.",
        test: "only_derivations_are_instantiated",
    },
};
