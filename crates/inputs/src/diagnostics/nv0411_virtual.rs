//! NV0411: a name is provided by several packages.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0411",
    title: "a name is provided by several packages",
    page: "The name that was asked for is not that of a package: several packages provide it, and it is for you to choose one.\n\nName one of the packages that the message lists.",
    example: Example::Situation {
        story: "A configuration asks for `mail-transport-agent`.",
        test: "a_virtual_name_lists_its_providers",
    },
};
