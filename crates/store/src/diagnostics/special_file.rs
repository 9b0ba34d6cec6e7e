//! `NV0506`: a store holds files, folders and links only.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0506",
    title: "a store holds files, folders and links only",
    page: "Devices, pipes and sockets cannot be in a store: they have no contents that could be hashed.\n\nLeave the file out (`builtins.filterSource`), or declare it so that it is made when the machine starts.",
    example: Example::Situation {
        story: "A folder that holds a named pipe is added to the store.",
        test: "special_file_is_refused",
    },
};
