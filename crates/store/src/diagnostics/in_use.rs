//! `NV0510`: a path is in use.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0510",
    title: "a path is in use",
    page: "Other valid paths refer to this one, so deleting it would leave them broken.\n\nDelete those first, or let the garbage collector find the order.",
    example: Example::Situation {
        story: "A file that another one names is to be deleted.",
        test: "referred_path_stays",
    },
};
