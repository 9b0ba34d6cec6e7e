//! `NV0301`: there is no such option.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0301",
    title: "there is no such option",
    page: "A configuration gives a value to an option that no module declares. All such names are reported at once, each\nwith the options whose names are near.\n\nCorrect the name, or import the module that declares the option.",
    example: Example::Configuration(r#"{ services.nginx.enabled = true; }"#),
};
