//! NV0521: a package is damaged.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0521",
    title: "a package is damaged",
    page: "A package ends early, or its contents do not fit their own checksums. Nothing of it was kept.\n\nA file that was fetched by its hash is whole, so the damage came later: by a disk that is full or failing. Delete the file and run the command again.",
    example: Example::Situation {
        story: "A package was cut off by a full disk.",
        test: "a_truncated_package_is_refused",
    },
};
