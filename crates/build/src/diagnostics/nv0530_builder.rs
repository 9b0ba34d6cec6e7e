//! NV0530: a builder failed.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0530",
    title: "a builder failed",
    page: "The builder of a derivation ended with an error. The message shows the end of its log; `nival log` shows all of it.\n\nWith `--keep-failed` the folder that it built in is kept.",
    example: Example::Situation {
        story: "A builder calls `false` and ends with exit code 1.",
        test: "a_builder_that_fails_is_told_with_its_log",
    },
};
