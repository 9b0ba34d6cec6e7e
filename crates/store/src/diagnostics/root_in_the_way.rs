//! `NV0517`: a file is where a root is to be.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0517",
    title: "a file is where a root is to be",
    page: "A root is a link into the store. What is at that place is something else, so it is not overwritten.\n\nMove it away, or name another link.",
    example: Example::Situation {
        story: "A root is to be made where a text file is.",
        test: "file_in_place_of_a_root_stays",
    },
};
