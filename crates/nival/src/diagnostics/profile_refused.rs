//! `NV0844`: a profile has no such package or generation.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0844",
    title: "a profile has no such package or generation",
    page: r#"What was asked for does not fit the profile: no package was named, or there is no generation of that number. `nival profile list`
shows the packages, `nival profile history` the generations."#,
    example: Example::Situation {
        story: "A generation is asked for that does not exist.",
        test: "profiles_are_changed_and_rolled_back",
    },
};
