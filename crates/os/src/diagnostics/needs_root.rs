//! `NV0629`: something needs root.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0629",
    title: "something needs root",
    page: r#"Most of Nival works without root. What is left sets owners of files that are not yours, as in images of services.

Run the command as root."#,
    example: Example::Situation {
        story: "`nival oci` without root.",
        test: "images_run_where_no_systemd_is",
    },
};
