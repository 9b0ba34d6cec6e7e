//! `NV0836`: a machine's name belongs to another configuration.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0836",
    title: "a machine's name belongs to another configuration",
    page: r#"A machine's name stands for its data and its generations. Two configurations that both call their machine the
same would take turns with one machine's data, so the second is refused.

Give one of them another `networking.hostName`, or delete the other machine with `nival down --delete-data NAME`."#,
    example: Example::Situation {
        story: "Two folders with a machine `web` each are started one after the other.",
        test: "two_projects_with_one_name",
    },
};
