//! `NV0308`: this is not a module.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0308",
    title: "this is not a module",
    page: "A module is a set, a function that returns one, or a file with either. With `options` or `config` at its top,\nall definitions belong into `config`.\n\nWrite `{ config, lib, ... }: { OPTION = VALUE; }`.",
    example: Example::Configuration(r#"{ imports = [ 42 ]; }"#),
};
