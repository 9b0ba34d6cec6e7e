//! NV0413: what is to be updated is not locked.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0413",
    title: "what is to be updated is not locked",
    page: "`nival update PACKAGE` updates a package that the lock has. This one is not there.\n\nTo add a package, name it in the configuration and run `nival lock`.",
    example: Example::Situation {
        story: "`nival update ngixn`.",
        test: "an_update_of_what_is_not_locked_is_told",
    },
};
