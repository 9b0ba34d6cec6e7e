//! `NV0302`: a value is not of the option's type.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0302",
    title: "a value is not of the option's type",
    page: "Every option has a type, and a definition that does not fit it is refused where it stands. The message says what\nthe option takes and what it was given.\n\n`nival options NAME` will show an option's type, default and example.",
    example: Example::Configuration(r#"{ networking.hostName = 42; }"#),
};
