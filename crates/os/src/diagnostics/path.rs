//! `NV0619`: a declared path lies outside of what may be declared.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0619",
    title: "a declared path lies outside of what may be declared",
    page: "Generated files lie below `/etc` or `/usr`; folders lie outside of both; none holds `..`.",
    example: Example::Situation {
        story: "A file at `/proc/x` is declared.",
        test: "a_path_outside_is_refused",
    },
};
