//! NV0404: an index is no longer valid, or not yet.

use nival_diagnostics::{Diagnostic, Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0404",
    title: "an index is no longer valid, or not yet",
    page: "The signed index of a repository says until when it is valid, and that time is over; or it was made in the future. An old index may hide security updates, so it is refused.\n\nLook at the clock of this machine. If it is right, the mirror is out of date: use another one.",
    example: Example::Situation {
        story: "A mirror stopped to be updated two weeks ago.",
        test: "an_expired_index_is_refused",
    },
};

/// Tells the limit and by how much it is missed.
pub(crate) fn diagnostic(repository: &str, address: &str, limit: i64, now: i64) -> Diagnostic {
    let hours = (now - limit).abs() / 3600;
    let by = if hours < 48 { format!("{hours} hours") } else { format!("{} days", hours / 24) };
    let message = if now > limit {
        format!("the index of `{repository}` expired {by} ago")
    } else {
        format!("the index of `{repository}` was made {by} in the future")
    };
    Diagnostic::error(&ENTRY, message)
        .note(format!("it came from {address}"))
        .help("check the clock of this machine, or use another mirror")
}
