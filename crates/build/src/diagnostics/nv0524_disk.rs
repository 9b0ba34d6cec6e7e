//! NV0524: a package could not be unpacked to the disk.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0524",
    title: "a package could not be unpacked to the disk",
    page: "The disk refused what was unpacked: it is full, or the folder cannot be written to. What was half done was taken away.",
    example: Example::Situation {
        story: "The store lies on a disk that is full.",
        test: "a_folder_that_cannot_be_written_is_told",
    },
};
