//! `NV0509`: a path is not valid.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0509",
    title: "a path is not valid",
    page: "The path is not registered in this store, though something may lie at its place on the disk: without registration\nnobody vouches for it.\n\nBuild it, copy it from another store, or look at its spelling. `nival verify` tells whether the database and the disk\nagree.",
    example: Example::Situation {
        story: "The references of a path that was never built are asked for.",
        test: "unknown_path_is_said",
    },
};
