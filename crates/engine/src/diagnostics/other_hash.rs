//! `NV0808`: a file has another hash than it should.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0808",
    title: "a file has another hash than it should",
    page: r#"The configuration says which contents a path must have, and it has others.

If the new contents are right, write their hash; the message gives it in the form to paste."#,
    example: Example::Expression(
        r#"builtins.path { path = /nival/library/lib/default.nix; name = "x"; recursive = false; sha256 = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; }"#,
    ),
};
