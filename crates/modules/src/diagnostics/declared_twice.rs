//! `NV0307`: an option is declared twice.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0307",
    title: "an option is declared twice",
    page: "Two modules declare the same option, with types that cannot be united, or one of them declares options below it.\n\nGive one another name; to set an option of another module, define it, do not declare it.",
    example: Example::Configuration(
        r#"{ lib, ... }: { options.networking.hostName = lib.mkOption { type = lib.types.int; description = "again"; }; }"#,
    ),
};
