//! NV0421: an input is not fetched by the rules that are in force.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0421",
    title: "an input is not fetched by the rules that are in force",
    page: "In pure evaluation everything that is fetched must be pinned, by a revision or a hash. In restricted evaluation only the addresses of `allowed-uris` may be used. With `allow-dirty = false` a git tree with changes is not taken.\n\nPin the input, commit the changes, or evaluate with `--impure`.",
    example: Example::Situation {
        story: "A pure evaluation fetches a branch without a revision.",
        test: "pure_evaluation_wants_pins",
    },
};
