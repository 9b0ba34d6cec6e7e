//! `NV0505`: this is no name or path of the store.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0505",
    title: "this is no name or path of the store",
    page: "Names in the store consist of letters, digits and `+-._?=`, do not start with a dot that stands alone, and have\nat most 211 characters; paths have 32 digits of hash and a dash before the name.\n\nGive the file another name where it is added.",
    example: Example::Situation {
        story: "A file named with a tilde is added to the store.",
        test: "bad_name_is_refused",
    },
};
