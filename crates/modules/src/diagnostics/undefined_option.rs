//! `NV0304`: an option is needed and has no value.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0304",
    title: "an option is needed and has no value",
    page: "Something reads an option that has neither a default nor a definition.\n\nSet the option; the message marks where it is declared.",
    example: Example::Configuration(r#"{ system.preflight.mine.command = [ "/usr/bin/true" ]; }"#),
};
