//! `NV0842`: two packages of one environment bring the same file.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0842",
    title: "two packages of one environment bring the same file",
    page: r#"An environment is one folder with links to the files of all its packages. Two packages of the same priority bring a file of the
same name, so it is not clear which one is meant. Nothing was changed.

Remove one of them, or install one with another priority: `nival profile add --priority 4` lets it win over the usual 5."#,
    example: Example::Situation {
        story: "A package is installed beside another one with the same program.",
        test: "clashes_in_a_profile_are_told",
    },
};
