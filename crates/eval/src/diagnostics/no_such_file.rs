//! NV0223: no such file.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0223",
    title: "no such file",
    page: "There is nothing at the path.",
    example: Example::Expression("builtins.readFileType /surely/not/there"),
};
