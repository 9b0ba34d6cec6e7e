//! NV0225: invalid derivation.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0225",
    title: "invalid derivation",
    page: "The attributes given to `derivation` do not describe one.",
    example: Example::Expression("(derivation { name = \"x\"; }).drvPath"),
};
