//! `NV0615`: the new generation was refused before anything changed.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0615",
    title: "the new generation was refused before anything changed",
    page: "A program that looks at the new files beforehand (such as `nginx -t`) did not like them. The machine was not touched.",
    example: Example::Situation {
        story: "`nginx -t` refuses the new configuration.",
        test: "preflight_refuses_before_anything_changes",
    },
};
