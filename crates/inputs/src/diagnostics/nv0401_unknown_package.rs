//! NV0401: no repository has a package.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0401",
    title: "no repository has a package",
    page: "A package was asked for by a name that none of the repositories of the release has, and that no package provides.\n\nLook at the nearest names, at the spelling, and at the release: a package may have come or gone between releases. A package of another repository needs that repository in the configuration.",
    example: Example::Situation {
        story: "A configuration asks for `ngixn`.",
        test: "an_unknown_package_is_told_with_near_names",
    },
};
