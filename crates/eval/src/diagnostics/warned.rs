//! NV0228: warning from the evaluated code.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0228",
    title: "warning from the evaluated code",
    page: "The evaluated code called `builtins.warn`.",
    example: Example::Situation { story: "the code warns", test: "warnings_reach_the_world" },
};
