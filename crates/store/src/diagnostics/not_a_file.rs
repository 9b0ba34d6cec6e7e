//! `NV0508`: one file was asked for, and this is none.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0508",
    title: "one file was asked for, and this is none",
    page: "Hashing by a file's bytes (`flat`, `text`) works on regular files only, not on folders or links.\n\nHash it recursively, by its NAR, or name a file.",
    example: Example::Situation {
        story: "A folder is added to the store by its bytes.",
        test: "folder_has_no_bytes",
    },
};
