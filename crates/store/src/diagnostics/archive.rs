//! `NV0540`: a NAR is broken.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0540",
    title: "a Nix archive (NAR) is broken",
    page: "Trees travel between stores as Nix archives. This one ends early, or holds what no program that keeps to the\nformat writes: names with slashes, entries that are not sorted or come twice, padding that is not zero, folders\nmore than 64 deep. The message says what, and at which byte. Such an archive is never unpacked into the store.",
    example: Example::Situation {
        story: "A file that is no archive is unpacked.",
        test: "archive_that_lies_is_refused",
    },
};
