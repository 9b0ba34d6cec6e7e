//! NV0535: a derivation does not make sense.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0535",
    title: "a derivation does not make sense",
    page: "An attribute of the derivation that says how it is to be built has a form that cannot be: a list where a text is wanted, a file name with a slash, an output that there is not.",
    example: Example::Situation {
        story: "A derivation exports the references of a path that is no input of it.",
        test: "exported_references_must_be_inputs",
    },
};
