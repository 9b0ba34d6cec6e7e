//! `NV0807`: this version does not build derivations.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0807",
    title: "this version does not build derivations",
    page: r#"Importing from a derivation needs it to be built. This version of Nival unpacks Debian packages and builds nothing
else.

Write the file that is imported into the repository."#,
    example: Example::Expression(
        r#"import (derivation { name = "x"; builder = "/bin/sh"; system = "x86_64-linux"; })"#,
    ),
};
