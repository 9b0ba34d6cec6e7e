//! NV0531: a build passed a limit.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0531",
    title: "a build passed a limit",
    page: "A build took longer than `timeout`, said nothing for longer than `max-silent-time`, said more than `max-build-log-size`, used more memory than `max-build-memory`, or started more processes than `max-build-processes`. The last two are set by this program's own settings (a number with `K`, `M` or `G` behind it; not set: no limit) and need control groups that can be made: as root, or in a user's session of systemd; elsewhere it is said that there is no limit. `use-cgroups` gives each builder a group of its own in any case. It was ended with everything that it had started.",
    example: Example::Situation {
        story: "A builder sleeps for longer than `--timeout` allows.",
        test: "a_build_that_takes_too_long_is_ended",
    },
};
