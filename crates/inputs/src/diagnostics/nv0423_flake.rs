//! NV0423: a flake.nix is not one.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0423",
    title: "a flake.nix is not one",
    page: "A flake.nix is a set with `description`, `inputs`, `outputs` and `nixConfig` only. Inputs are plain values, nothing in them is computed; `outputs` is a function.",
    example: Example::Situation {
        story: "The address of an input is put together with `+`.",
        test: "computed_inputs_are_refused",
    },
};
