//! NV0105: argument is named twice.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0105",
    title: "argument is named twice",
    page: "A function names the same argument twice, among its formal arguments or by `@`.",
    example: Example::Expression("{ a, a }: a"),
};
