//! NV0412: no repository has a version.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0412",
    title: "no repository has a version",
    page: "A package was asked for in a version that no repository has, or all of its versions are pinned away.\n\nName one of the versions that there are, or none to get the newest.",
    example: Example::Situation {
        story: "A configuration asks for `nginx=0.1`.",
        test: "a_missing_version_lists_the_others",
    },
};
