//! `NV0845`: a hash is none, or not the one that was wanted.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0845",
    title: "a hash is none, or not the one that was wanted",
    page: r#"A hash is written `ALGORITHM-BASE64` (as in `sha256-...=`), `ALGORITHM:DIGITS` with digits of base 16, 32 or 64, or digits
alone where the algorithm is clear. The message says what does not fit: the algorithm, the number of digits, the spelling that
was asked for, or the contents that were hashed."#,
    example: Example::Situation {
        story: "nival hash convert is given digits only.",
        test: "hashes_are_converted",
    },
};
