//! `NV0833`: a file cannot be written.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0833",
    title: "a file cannot be written",
    page: r#"A file of yours (a configuration, a lock) could not be written; the message gives the system's reason.

Nothing was left half-written: the old contents, if there were any, are still there."#,
    example: Example::Situation {
        story: "nival init is given a folder that cannot be written.",
        test: "init_in_read_only_folder",
    },
};
