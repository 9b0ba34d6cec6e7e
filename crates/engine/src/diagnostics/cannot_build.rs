//! `NV0807`: evaluation needs a build where nothing may be written.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0807",
    title: "evaluation needs a build, and nothing may be written",
    page: r#"Importing from a derivation, or reading a file of one, needs it to be built first. With `--read-only` store paths are
computed only, and nothing can be built.

Evaluate without that option; `nix-instantiate --eval` writes with `--read-write-mode`."#,
    example: Example::Situation {
        story: "A file that a derivation makes is imported, with `--read-only`.",
        test: "import_from_derivation_builds",
    },
};
