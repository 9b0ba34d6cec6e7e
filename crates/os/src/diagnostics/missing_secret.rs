//! `NV0627`: a machine lacks a secret.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0627",
    title: "a machine lacks a secret",
    page: r#"A secret that the machine does not make itself has to be given to it, once: `nival up --secret NAME=FILE`. It is kept in the
machine's data, readable by its root only. Nothing was started or changed."#,
    example: Example::Situation {
        story: "`secrets.key = { };` is declared, and no file was ever given.",
        test: "secrets_reach_their_files_and_nothing_else",
    },
};
