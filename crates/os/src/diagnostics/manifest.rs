//! `NV0603`: a manifest cannot be read.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0603",
    title: "a manifest cannot be read",
    page: "A manifest is the data that a configuration evaluates to. This one is damaged or comes from another version of the\nprogram. Evaluate the configuration again.",
    example: Example::Situation {
        story: "A manifest of version 99 is given.",
        test: "a_manifest_of_another_version_is_refused",
    },
};
