//! `NV0834`: the question was answered with no.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0834",
    title: "the question was answered with no",
    page: r#"The command asks before it deletes what cannot be brought back, and the answer was not `yes`. Nothing was deleted.

Answer `yes`, or say `--yes` in scripts."#,
    example: Example::Situation {
        story: "nival down --delete-data is answered with n.",
        test: "delete_data_asks",
    },
};
