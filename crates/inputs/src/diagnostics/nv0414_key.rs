//! NV0414: the key of a repository cannot be read.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0414",
    title: "the key of a repository cannot be read",
    page: "A repository beside Debian's own needs the public key that it is signed with. What was given is no OpenPGP public key.\n\nRepositories publish their key as a file, often called `KEY.gpg` or `KEY.asc`; both forms can be used.",
    example: Example::Situation {
        story: "The key of a repository is the address of the key.",
        test: "a_key_that_is_none_is_refused",
    },
};
