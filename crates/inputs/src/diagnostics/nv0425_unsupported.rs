//! NV0425: this version does not fetch it.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0425",
    title: "this version does not fetch it",
    page: "Mercurial repositories and git LFS are parts of Nix that this version does not have.",
    example: Example::Expression(r#"builtins.fetchTree { type = "hg"; url = "https://example.org/repo"; }"#),
};
