//! `NV0628`: a secret is given that the machine does not declare.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0628",
    title: "a secret is given that the machine does not declare",
    page: r#"`--secret NAME=FILE` names a secret that the configuration does not have: most likely it is misspelt."#,
    example: Example::Situation {
        story: "`--secret kye=FILE`, where the configuration declares `key`.",
        test: "secrets_reach_their_files_and_nothing_else",
    },
};
