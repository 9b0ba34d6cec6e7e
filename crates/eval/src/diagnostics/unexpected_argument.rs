//! NV0209: unexpected argument.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0209",
    title: "unexpected argument",
    page: "A function with named arguments got one that it does not name. Add `...` to its arguments to allow others.",
    example: Example::Expression("({ a }: a) { a = 1; b = 2; }"),
};
