//! NV0523: a package unpacks to more than it may.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0523",
    title: "a package unpacks to more than it may",
    page: "A package unpacks to far more than it says of itself, or to more than a package may. Nothing of it was kept.",
    example: Example::Situation {
        story: "A package of some kilobytes unpacks to terabytes of zeros.",
        test: "a_bomb_is_stopped_at_its_limit",
    },
};
