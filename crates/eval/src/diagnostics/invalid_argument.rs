//! NV0227: invalid argument.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0227",
    title: "invalid argument",
    page: "A builtin got a value that it cannot work with.",
    example: Example::Expression("builtins.substring (-1) 2 \"abc\""),
};
