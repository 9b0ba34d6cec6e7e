//! NV0416: the reference of an input is malformed.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0416",
    title: "the reference of an input is malformed",
    page: "A reference says where an input comes from. It is a URL such as `github:owner/repo/branch`, `git+https://host/repo?ref=main`, `path:./folder`, `https://host/file.tar.gz`, a name of a registry such as `nixpkgs`, or a set of attributes with a `type`.\n\nThe message says which part of the reference is wrong.",
    example: Example::Expression(r#"builtins.fetchTree { type = "git"; url = "/nothing"; colour = "red"; }"#),
};
