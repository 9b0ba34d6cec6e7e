//! NV0106: number is out of range.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0106",
    title: "number is out of range",
    page: "Integers have 64 bits with a sign: from -9223372036854775808 to 9223372036854775807. Write a larger number as a float (`1e20` is `100000000000000000000.0`).",
    example: Example::Expression("9223372036854775808"),
};
