//! `NV0625`: a unit is neither written out nor brought by a package.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0625",
    title: "a unit is neither written out nor brought by a package",
    page: "The configuration changes or enables a unit that no package of the machine has, and that has no text of its own. Add the\npackage, or give the unit its text.",
    example: Example::Situation {
        story: "A drop-in is declared for `nosuch.service`.",
        test: "a_unit_that_nobody_brings_is_refused",
    },
};
