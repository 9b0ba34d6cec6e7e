//! NV0422: no registry knows a name.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0422",
    title: "no registry knows a name",
    page: "A short name such as `nixpkgs` is looked up in the registries: those of the command line, the user, the system, and the global one. None of them has this name.",
    example: Example::Situation {
        story: "A flake is named that stands in no registry.",
        test: "registries_resolve_names",
    },
};
