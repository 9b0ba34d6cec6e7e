//! `NV0815`: there is no such service.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0815",
    title: "there is no such service",
    page: r#"Neither the library nor the configuration (that of the current folder, or of `-c PATH`) declares a service of that name.
`nival service` lists those that there are; `nival init service NAME` writes one of
your own to start from."#,
    example: Example::Situation { story: "`nival service ngnix`.", test: "services_have_manuals" },
};
