//! `NV0303`: definitions exclude each other.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0303",
    title: "definitions exclude each other",
    page: "Two modules give different values to an option that holds one value, and neither is stronger.\n\nRemove one, or make one stronger (`lib.mkForce`) or weaker (`lib.mkDefault`).",
    example: Example::Configuration(
        r#"{ imports = [ { time.timeZone = "Europe/Paris"; } ]; time.timeZone = "Asia/Tokyo"; }"#,
    ),
};
