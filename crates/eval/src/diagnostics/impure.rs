//! `NV0240`: pure evaluation depends on nothing but its inputs.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0240",
    title: "not allowed in pure evaluation",
    page: r#"A pure evaluation gives the same result on every machine and on every day. So it sees nothing of the machine: no
search path, no time, no environment, no paths outside of what was fetched, and nothing that is not pinned.

Name what is needed as an input of the flake, or evaluate with `--impure`."#,
    example: Example::Situation {
        story: "A flake names `<nixpkgs>`.",
        test: "pure_evaluation_sees_nothing_of_the_machine",
    },
};
