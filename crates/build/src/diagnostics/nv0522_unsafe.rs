//! NV0522: a package reaches out of its tree.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0522",
    title: "a package reaches out of its tree",
    page: "An entry of a package has a path with `..` or an absolute one, writes through a link, links to a file outside, or is a device. A package that is made well has none of these, and one that is made with ill will may have: nothing of it was kept.",
    example: Example::Situation {
        story: "A package holds a file `../../etc/passwd`.",
        test: "hostile_entries_are_refused",
    },
};
