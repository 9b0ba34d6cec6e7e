//! `NV0620`: a package of the generation is not in the store.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0620",
    title: "a package of the generation is not in the store",
    page: "The manifest names a store path that is not there. It was collected or never built: build the configuration again.",
    example: Example::Situation {
        story: "A store path is removed by hand.",
        test: "a_missing_package_is_named",
    },
};
