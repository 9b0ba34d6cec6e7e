//! NV0201: undefined variable.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0201",
    title: "undefined variable",
    page: "No `let`, function argument, recursive set, `with` or builtin brings the name that is used.\n\nCheck its spelling; attributes of a set that is not `rec` do not see each other.",
    example: Example::Expression("let name = 1; in nam"),
};
