//! NV0520: a file is no Debian package.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0520",
    title: "a file is no Debian package",
    page: "A file that a repository lists as a package is not one: it is no `ar` archive, lacks a part, or uses a form or compression that is not known. Nothing of it was kept.",
    example: Example::Situation {
        story: "A repository lists a text file as a package.",
        test: "a_file_that_is_no_package_is_refused",
    },
};
