//! NV0212: division by zero.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0212",
    title: "division by zero",
    page: "A number was divided by zero: for integers there is no such value, and for floats the language refuses it too.\n\nLook at how the divisor is computed, or guard the division: `if b == 0 then ... else a / b`.",
    example: Example::Expression("1 / 0"),
};
