//! NV0702: no mirror has a file.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0702",
    title: "no mirror has a file",
    page: "Every address of the file was asked, and each answered that there is no such file.\n\nMirrors keep only the newest version of a package. Name a mirror that has it with `--mirror`, or run `nival update` to lock the version that the mirrors have now.",
    example: Example::Situation {
        story: "A locked package was replaced by a newer one on all mirrors.",
        test: "a_file_that_is_nowhere_is_named_with_its_addresses",
    },
};
