//! NV0110: operators cannot be chained.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0110",
    title: "operators cannot be chained",
    page: "`==`, `!=`, `<`, `<=`, `>`, `>=` and `?` take two operands and cannot be chained, and `|>` cannot be mixed with `<|`. Add parentheses around what belongs together.",
    example: Example::Expression("1 == 1 == true"),
};
