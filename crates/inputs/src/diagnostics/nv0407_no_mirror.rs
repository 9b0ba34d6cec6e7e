//! NV0407: no mirror is known.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0407",
    title: "no mirror is known",
    page: "Nival takes the mirror of Debian that this machine's apt is set up with. This machine has no apt, or its sources name no Debian archive.\n\nName a mirror with `--mirror URL`, the folder that holds `dists` and `pool`. It may also be a path.",
    example: Example::Situation {
        story: "`nival lock` on a machine of another distribution.",
        test: "without_a_mirror_the_option_is_named",
    },
};
