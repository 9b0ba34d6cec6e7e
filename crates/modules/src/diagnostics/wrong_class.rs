//! `NV0311`: a module is for something else.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0311",
    title: "a module is for something else",
    page: "A module can say in `_class` what it is written for, and `lib.evalModules { class = ...; }` what is made of the\nmodules. One for something else would set options that mean other things there, so it is refused.\n\nImport the module where it belongs, or remove its `_class` if it fits everywhere.",
    example: Example::Expression(
        r#"(lib.evalModules { class = "nixos"; modules = [ { _class = "darwin"; } ]; }).config"#,
    ),
};
