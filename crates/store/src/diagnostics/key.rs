//! `NV0545`: a key cannot be used.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0545",
    title: "a key cannot be used",
    page: "Keys for signing and checking store paths are one line of text, `NAME:BASE64`: 64 bytes for a secret key, 32 for a\npublic one. The message does not repeat a secret key.",
    example: Example::Situation {
        story: "A file with something else is used as a key.",
        test: "broken_key_is_said",
    },
};
