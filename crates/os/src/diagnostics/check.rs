//! `NV0613`: a health check failed.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0613",
    title: "a health check failed",
    page: "A service did not answer as its check wants it to within the time that it has. The last lines of the unit's journal are\nshown. After `nival up` the machine is left running, so that you can look around with `nival shell` and `nival logs`.",
    example: Example::Situation { story: "A site answers 500.", test: "a_check_that_fails_is_named" },
};
