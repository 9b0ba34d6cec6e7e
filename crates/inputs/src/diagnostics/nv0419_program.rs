//! NV0419: git or a server does not hand out an input.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0419",
    title: "git or a server does not hand out an input",
    page: "The program that fetches an input failed; the notes show what it said. Often the address is wrong, the revision is not on the branch, or the server wants a key or token.",
    example: Example::Expression(r#"builtins.fetchGit "/nothing/here""#),
};
