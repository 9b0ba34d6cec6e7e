//! `NV0832`: a file is in the way.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0832",
    title: "a file is in the way",
    page: r#"The command would have to overwrite a file that it did not make, so it wrote nothing at all.

Name another folder, or move the file away."#,
    example: Example::Situation { story: "nival init is run twice in one folder.", test: "init_twice" },
};
