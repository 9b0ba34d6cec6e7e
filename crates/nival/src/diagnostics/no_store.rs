//! NV0837: a text names no store that can be used.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0837",
    title: "this is no store that can be used",
    page: "`--store` or `NIX_REMOTE` names a store of a kind that this command cannot use, or a parameter that stores do not \
have. A folder, `local`, and `local?root=FOLDER&store=..&state=..&log=..` are known.",
    example: Example::Situation {
        story: "`nival build --store dummy://` is typed.",
        test: "a_store_that_is_none_is_told",
    },
};
