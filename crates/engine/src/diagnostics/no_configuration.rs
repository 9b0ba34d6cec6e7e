//! `NV0802`: there is no configuration.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0802",
    title: "there is no configuration",
    page: r#"The path names neither a file nor a folder with `configuration.nix` or `default.nix`.

`nival init FOLDER` writes a commented configuration to start from."#,
    example: Example::Situation {
        story: r#"A folder without configuration.nix is named."#,
        test: "missing_configuration",
    },
};
