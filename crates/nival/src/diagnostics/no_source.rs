//! `NV0835`: it is not known which configuration a machine comes from.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0835",
    title: "it is not known which configuration a machine comes from",
    page: r#"`up` remembers which configuration a machine was started from. So `plan` and `switch` take a path, or the name of a machine that was started; `down`, `status`, `logs` and others take a machine's name, or the path that it was started from.

Name the path of the configuration, or start its machines with `nival up`."#,
    example: Example::Situation {
        story: "nival plan names a machine that was never started.",
        test: "plan_unknown_machine",
    },
};
