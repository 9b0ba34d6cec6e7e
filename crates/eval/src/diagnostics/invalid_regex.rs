//! NV0221: invalid regular expression.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0221",
    title: "invalid regular expression",
    page: "`builtins.match` and `builtins.split` take POSIX extended regular expressions.",
    example: Example::Expression("builtins.match \"(\" \"a\""),
};
