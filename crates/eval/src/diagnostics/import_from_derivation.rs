//! NV0226: evaluation needs a build.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0226",
    title: "evaluation needs a build",
    page: "The evaluated code reads a file that must be built first, and that is switched off.",
    example: Example::Situation {
        story: "a built file is imported with import from derivation switched off",
        test: "import_from_derivation_can_be_refused",
    },
};
