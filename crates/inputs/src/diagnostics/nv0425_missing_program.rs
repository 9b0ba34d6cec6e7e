//! NV0425: a program that fetches is not installed.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0425",
    title: "a program that fetches is not installed",
    page: "Git repositories are fetched by `git`, Mercurial repositories by `hg` (Debian's package `mercurial`), and addresses with `ssh` by `ssh`: they know your keys and settings. Install the program, or use an archive instead: `fetchTarball` and `fetchurl` need none.",
    example: Example::Situation {
        story: "An expression has `builtins.fetchMercurial`, and the machine has no `hg`.",
        test: "a_program_that_fetching_needs_is_named_where_it_is_missing",
    },
};
