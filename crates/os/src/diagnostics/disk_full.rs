//! `NV0602`: the disk of the machines' data is full.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0602",
    title: "the disk of the machines' data is full",
    page: "The disk that holds the data folder has no space left. The generation that was being made is dropped; the one that\nruns is untouched.\n\nFree space (`nival generations`, `nival gc`), or move the data folder with `--data-dir`.",
    example: Example::Situation {
        story: "A generation is composed while the disk has no space left.",
        test: "a_full_disk_is_coded",
    },
};
