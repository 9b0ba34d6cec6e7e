//! `NV0622`: the host cannot start machines at boot.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0622",
    title: "the host cannot start machines at boot",
    page: "`nival enable` needs systemd on the host: a system unit for root, a user unit with lingering otherwise.",
    example: Example::Situation {
        story: "`nival enable` is given on a host without systemd.",
        test: "a_host_without_systemd_cannot_enable",
    },
};
