//! `NV0850`: a derivation has no environment to work in.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0850",
    title: "a derivation has no environment to work in",
    page: "`nival develop` asks bash, the builder of most derivations, for the variables and functions that a build begins with. A derivation with another builder cannot be asked, and what is meant must be one single derivation.",
    example: Example::Situation {
        story: "An environment is asked for of a derivation whose builder is not bash.",
        test: "only_bash_has_an_environment",
    },
};
