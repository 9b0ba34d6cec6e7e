//! `NV0630`: a service that runs alone has no journal.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0630",
    title: "a service that runs alone has no journal",
    page: r#"`nival container` runs one service without systemd, so nothing sorts what it writes by unit, time or priority.

`nival logs NAME` shows all of it, `--lines` its end, and `--follow` what comes."#,
    example: Example::Situation {
        story: "`nival logs NAME --unit nginx`, of a container.",
        test: "a_service_runs_alone",
    },
};
