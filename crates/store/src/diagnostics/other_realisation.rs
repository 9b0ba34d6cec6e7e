//! `NV0515`: one output, two paths.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0515",
    title: "one output, two paths",
    page: "An output whose path comes from its contents was built twice with different results: the build is not reproducible. The\nstore keeps one result for each output.\n\nCollect one of the two paths to go on with the other.",
    example: Example::Situation {
        story: "A second builder says that an output has other contents.",
        test: "second_realisation_is_refused",
    },
};
