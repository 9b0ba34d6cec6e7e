//! NV0207: infinite recursion.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0207",
    title: "infinite recursion",
    page: "A value needs itself before it is known: `let a = b; b = a; in a`. In configurations this is often an option whose definition depends on its own value, or `imports` that depend on `config`.",
    example: Example::Expression("let a = b; b = a; in a"),
};
