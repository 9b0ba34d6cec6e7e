//! `NV0605`: two packages bring the same file.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0605",
    title: "two packages bring the same file",
    page: "Both packages hold a file of this path, with different contents, and a root has room for one.\n\nLeave one of the packages out, or declare which one is taken:\n`environment.diversions.\"PATH\" = \"PACKAGE\";`.",
    example: Example::Situation {
        story: "Two packages hold `/usr/bin/tool`.",
        test: "two_packages_with_one_file_are_refused",
    },
};
