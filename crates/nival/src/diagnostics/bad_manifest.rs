//! `NV0843`: the manifest of a profile cannot be read.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0843",
    title: "the manifest of a profile cannot be read",
    page: r#"A profile has a file `manifest.json` that says what was installed and where it came from. This one has another form than is
known: a newer program made it, or somebody changed it by hand. `nival profile rollback` goes back to an earlier generation."#,
    example: Example::Situation {
        story: "The manifest of a profile says nonsense.",
        test: "broken_profile_is_said",
    },
};
