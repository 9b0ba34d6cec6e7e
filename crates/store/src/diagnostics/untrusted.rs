//! `NV0542`: a path has no signature of a key that is trusted.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0542",
    title: "a path has no signature of a key that is trusted",
    page: "What comes from elsewhere is taken when its name follows from its contents, or when it is signed by one of\nthe keys in the setting `trusted-public-keys`. This path has neither. Without the setting `require-sigs`, or from a store\nwhose address has the parameter `trusted`, it would be taken.",
    example: Example::Situation {
        story: "A path without a signature is copied from a cache.",
        test: "unsigned_path_is_refused",
    },
};
