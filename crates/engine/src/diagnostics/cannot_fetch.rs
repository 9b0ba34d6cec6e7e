//! `NV0806`: what is fetched needs another name.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0806",
    title: "what is fetched needs another name",
    page: r#"What `fetchurl` and `fetchTarball` bring gets a store path, named by the last part of the address where no name is
given. A name has letters, digits and `+-._?=` only.

Name it: `builtins.fetchurl { url = "..."; name = "file"; }`."#,
    example: Example::Expression(r#"builtins.fetchurl "file:///nothing/a~b""#),
};
