//! `NV0806`: this version fetches Debian packages only.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0806",
    title: "this version fetches Debian packages only",
    page: r#"The fetching functions of the language are known, and this version of Nival does not carry them out.

Put the files beside the configuration and name them by path."#,
    example: Example::Expression(r#"builtins.fetchTarball "file:///nothing.tar.gz""#),
};
