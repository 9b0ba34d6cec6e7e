//! `NV0803`: a file cannot be read.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0803",
    title: "a file cannot be read",
    page: r#"A file or folder that the configuration names is missing or cannot be read.

Relative paths start at the file that they are written in, not at the folder where the command runs."#,
    example: Example::Expression(r#"builtins.readFile ./there-is-no-such-file"#),
};
