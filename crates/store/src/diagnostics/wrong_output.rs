//! `NV0514`: a derivation names a wrong output path.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0514",
    title: "a derivation names a wrong output path",
    page: "The path of an output follows from the derivation's inputs and its text. This derivation names another one, so building\nit would overwrite a path that belongs to something else.\n\nEvaluate it again, and do not trust where it came from.",
    example: Example::Situation {
        story: "A derivation is edited by hand so that its output is another program's path.",
        test: "forged_output_is_refused",
    },
};
