//! NV0531: a build passed a limit.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0531",
    title: "a build passed a limit",
    page: "A build took longer than `timeout`, said nothing for longer than `max-silent-time`, or said more than `max-build-log-size`. It was ended with everything that it had started.",
    example: Example::Situation {
        story: "A builder sleeps for longer than `--timeout` allows.",
        test: "a_build_that_takes_too_long_is_ended",
    },
};
