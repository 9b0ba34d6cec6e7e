//! NV0224: string refers to the store.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0224",
    title: "string refers to the store",
    page: "A string that refers to a store path was used where it must not.",
    example: Example::Situation {
        story: "the path of a derivation is taken as its name",
        test: "a_derivation_name_may_not_refer_to_the_store",
    },
};
