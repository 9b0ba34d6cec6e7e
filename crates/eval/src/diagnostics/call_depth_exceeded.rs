//! NV0208: calls are nested too deeply.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0208",
    title: "calls are nested too deeply",
    page: "Functions call each other more than 10,000 deep, or a chain of delayed values is too long. A function that calls itself may have no end; a very long list wants `builtins.foldl'`.",
    example: Example::Expression("let f = x: 1 + f x; in f 1"),
};
