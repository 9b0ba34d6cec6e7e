//! `NV0839`: a setting that a flake asks for is not trusted.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0839",
    title: "a setting that a flake asks for is not trusted",
    page: r#"`nixConfig` of a `flake.nix` asks for settings, such as a cache to bring builds from. Settings could make the machine run
what somebody else made, so each of them has to be trusted: say `--accept-flake-config`, set `accept-flake-config = true`, or
answer the question at a terminal. What is answered for good is kept in `~/.local/share/nix/trusted-settings.json`.

Prompts, `flake-registry` and `commit-lock-file-summary` need no trust."#,
    example: Example::Situation {
        story: "A flake asks for another substituter, and nobody said that it is trusted.",
        test: "settings_of_a_flake_have_to_be_trusted",
    },
};
