//! `NV0809`: pure and restricted evaluation see only what they are given.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0809",
    title: "evaluation may not see this path or address",
    page: r#"In pure evaluation only the store paths of what was fetched are seen. In restricted evaluation (`restrict-eval`) only
the search path is, and only addresses that stand in `allowed-uris` are fetched.

Make the file part of the flake, add its folder to the search path, or evaluate with `--impure`."#,
    example: Example::Situation {
        story: "A flake reads a file by its absolute path.",
        test: "pure_evaluation_sees_nothing_of_the_machine",
    },
};
