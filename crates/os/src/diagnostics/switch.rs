//! `NV0614`: the switch failed and was taken back.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0614",
    title: "the switch failed and was taken back",
    page: "The new generation did not come up well, so the old one was put back: files first, then every unit that had been\ntouched. The reason and the unit's journal are shown. Nothing has to be done; mend the configuration and switch again.",
    example: Example::Situation {
        story: "A service of the new generation ends after three seconds.",
        test: "a_service_that_dies_takes_the_switch_back",
    },
};
