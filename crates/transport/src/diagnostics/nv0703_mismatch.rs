//! NV0703: what was fetched is not what was locked.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0703",
    title: "what was fetched is not what was locked",
    page: "A file arrived with another size or SHA-256 than the lock or the signed index names. It was thrown away, and nothing of it was used.\n\nA mirror that is being updated, a faulty proxy, or somebody on the way can be the cause. Run the command again, and use another mirror if it stays.",
    example: Example::Situation {
        story: "A mirror hands out a package with one flipped byte.",
        test: "a_flipped_byte_is_refused",
    },
};
