//! `NV0840`: what was typed has no meaning.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0840",
    title: "what was typed has no meaning",
    page: r#"The program was called by one of Nix's names, with options that do not belong together, that this program does not
have, or without what they need.

In `nival repl`, a line begins with a colon and is no command, or asks for what there is not: `:?` lists all commands.

`nix-store --help` shows what can be typed; it is what Nix's manual says."#,
    example: Example::Situation {
        story: "nix-store is called with two operations at once.",
        test: "two_operations_are_refused",
    },
};
