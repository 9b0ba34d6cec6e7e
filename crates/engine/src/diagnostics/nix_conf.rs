//! `NV0810`: a line of nix.conf is malformed.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0810",
    title: "nix.conf or NIX_CONFIG is malformed",
    page: r#"A line of nix.conf, of a file that it includes, or of the variable NIX_CONFIG is neither `name = value`, nor
`include FILE`, nor `!include FILE`, nor a comment behind `#`; or an included file is missing."#,
    example: Example::Situation {
        story: "A line of nix.conf has no equals sign.",
        test: "files_include_files_and_variables_come_last",
    },
};
