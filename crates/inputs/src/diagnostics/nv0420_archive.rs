//! NV0420: an archive cannot be unpacked.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0420",
    title: "an archive cannot be unpacked",
    page: "The archive is broken, of a form that is not known, or holds something that a store cannot hold: a device, or a file below something that is no folder.",
    example: Example::Situation {
        story: "An archive holds a link, and a file below that link.",
        test: "archives_do_not_write_through_links",
    },
};
