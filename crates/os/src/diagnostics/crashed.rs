//! `NV0626`: the machine ended again and again.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0626",
    title: "the machine ended again and again",
    page: "A machine that ends without being asked to is started again by itself. After six such ends within half a minute it is\nleft alone, so that the reason can be looked for: `nival status` and `nival logs` show it. `nival up` starts it anew.",
    example: Example::Situation {
        story: "Process 1 of a machine is killed again and again.",
        test: "a_machine_that_keeps_crashing_is_left_alone",
    },
};
