//! `NV0501`: the disk of the store is full.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0501",
    title: "the disk of the store is full",
    page: "The disk that holds the store has no space left. What was registered before is untouched; what was being\nadded is removed, or is removed by the next command.\n\nFree space (remove machines that are not needed, `nival down --delete-data`) or move the data folder with\n`--data-dir`.",
    example: Example::Situation {
        story: "A package is unpacked while the disk has no space left.",
        test: "full_disk_loses_nothing",
    },
};
