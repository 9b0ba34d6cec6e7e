//! `NV0310`: which options are defined depends on their values.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0310",
    title: "which options are defined depends on their values",
    page: "The set of names that a module defines must be known before any option has a value. Here it depends on one.\n\nUse `lib.mkIf CONDITION { ... }` instead of `if CONDITION then { ... } else { }`: it guards values, not names.",
    example: Example::Configuration(
        r#"{ config, lib, ... }: { config = if config.networking.hostName == "a" then { time.timeZone = "UTC"; } else { }; }"#,
    ),
};
