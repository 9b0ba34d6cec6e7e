//! `NV0804`: the configuration has no machine of this name.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0804",
    title: "the configuration has no machine of this name",
    page: r#"A project of several machines has them in `machines`, by name.

The message lists those that there are."#,
    example: Example::Situation {
        story: r#"A machine is named that machines does not have."#,
        test: "unknown_machine_of_a_project",
    },
};
