//! NV0205: assertion failed.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0205",
    title: "assertion failed",
    page: "The condition of `assert condition; ...` is false.",
    example: Example::Expression("assert 1 == 2; 3"),
};
