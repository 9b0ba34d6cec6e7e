//! `NV0241`: an experimental feature of Nix is not switched on.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0241",
    title: "an experimental feature is not switched on",
    page: r#"Some parts of the language are experimental in Nix: pipe operators (`pipe-operators`), derivations whose outputs are
addressed by their contents (`ca-derivations`), impure ones (`impure-derivations`), and the hash modes `text`
(`dynamic-derivations`) and `git` (`git-hashing`).

Switch the feature on: `extra-experimental-features = NAME` in nix.conf, or in the variable NIX_CONFIG."#,
    example: Example::Situation {
        story: "A file uses `|>`, and nix.conf does not switch pipe operators on.",
        test: "features_that_are_off_say_so",
    },
};
