//! `NV0504`: the store's schema is not known.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0504",
    title: "the store's schema is not known",
    page: "The store was made by a program whose database has another form. Nival reads and writes schema 10, as Nix does\nsince 2.0.\n\nUse another data folder, or the program that made the store.",
    example: Example::Situation { story: "A store says schema 99.", test: "foreign_schema_is_refused" },
};
