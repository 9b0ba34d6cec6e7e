//! `NV0309`: a module wants an argument that nobody gives.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0309",
    title: "a module wants an argument that nobody gives",
    page: "Modules are functions of named arguments: `config`, `options`, `lib`, and what `_module.args` gives.\n\nGive the argument with `_module.args.NAME = ...;`, or remove it.",
    example: Example::Configuration(r#"{ colour, ... }: { networking.hostName = colour; }"#),
};
