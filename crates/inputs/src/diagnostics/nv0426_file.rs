//! NV0426: a file of an input cannot be used.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0426",
    title: "a file of an input cannot be used",
    page: "A file or folder that an input needs cannot be read or written; the message names it and says why.",
    example: Example::Expression(r#"builtins.fetchTree { type = "path"; path = "/nothing/here"; }"#),
};
