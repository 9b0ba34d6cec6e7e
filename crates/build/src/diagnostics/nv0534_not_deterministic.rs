//! NV0534: building again gave something else.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0534",
    title: "building again gave something else",
    page: "With `--check` (or `--rebuild`) an output is built again and compared with the one that is there. They differ: what is built depends on something that is not declared, such as the time.",
    example: Example::Situation {
        story: "A builder writes the time into its output, and is built again with `--check`.",
        test: "a_builder_that_writes_the_time_is_found",
    },
};
