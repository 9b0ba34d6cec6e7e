//! NV0704: a file could not be fetched.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0704",
    title: "a file could not be fetched",
    page: "Servers were reached, and none of them handed the file out: they refused, failed, or the transfer broke again and again. The notes say what each of them did.\n\nRun the command again: what has arrived is kept, and the transfer goes on from there.",
    example: Example::Situation {
        story: "A server answers with status 500 each time.",
        test: "a_failing_server_is_asked_again_and_named",
    },
};
