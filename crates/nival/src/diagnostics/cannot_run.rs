//! `NV0851`: a program cannot be run.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0851",
    title: "a program cannot be run",
    page: "`nival run`, `nival shell` and `nival develop` run programs of the store. The program is missing, may not be executed, or the store cannot be mounted at /nix for it, which needs user namespaces where the user is not root.",
    example: Example::Situation {
        story: "A package without a program of its name is run.",
        test: "a_missing_program_is_told",
    },
};
