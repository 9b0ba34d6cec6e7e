//! `NV0306`: an option is read-only.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0306",
    title: "an option is read-only",
    page: "The option tells something that its module computes; it can be read and not be set.\n\nRemove the definition; the option's description names those that steer it.",
    example: Example::Configuration(r#"{ system.roots = { }; }"#),
};
