//! NV0532: a fixed output has another hash than it should.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0532",
    title: "a fixed output has another hash than it should",
    page: "The derivation says which hash its output must have, and what was made has another one. What was made is kept in the store under its own address, so that nothing has to be fetched again once the derivation says the right hash.\n\nLook whether the new contents are what you want before you write the new hash.",
    example: Example::Situation {
        story: "A file of an address has changed since its hash was written down.",
        test: "a_fixed_output_with_another_hash_is_refused",
    },
};
