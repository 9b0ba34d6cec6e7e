//! NV0405: a mirror hands out another suite.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0405",
    title: "a mirror hands out another suite",
    page: "The signed index that a mirror handed out is of another suite than the one that was asked for. It was refused, since packages of another release would get in by it.\n\nUse another mirror. For a repository beside Debian, name the suite or code name that its `Release` file has.",
    example: Example::Situation {
        story: "The address of a suite leads to an older release.",
        test: "another_suite_is_refused",
    },
};
