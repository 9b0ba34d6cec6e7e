//! NV0409: a lock cannot be read.

use nival_diagnostics::{Diagnostic, Entry, Example};
use std::path::Path;

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0409",
    title: "a lock cannot be read",
    page: "The file `nival.lock` is not what Nival writes: it was edited, is left from a merge, or was written by a newer Nival. The message names the line.\n\nMend the line, or take both sides of a merge apart and run `nival lock`: it keeps what can be read, and locks the rest anew. A lock that is beyond repair can be deleted; `nival lock` then takes the newest versions.",
    example: Example::Situation {
        story: "A merge left `<<<<<<<` in the lock.",
        test: "a_damaged_lock_is_told_with_its_line",
    },
};

/// Tells the file and the line.
pub(crate) fn diagnostic(path: &Path, line: usize, reason: &str) -> Diagnostic {
    let place = if line == 0 { path.display().to_string() } else { format!("{}:{line}", path.display()) };
    Diagnostic::error(&ENTRY, format!("the lock cannot be read at `{place}`: {reason}"))
        .help("mend the line, or delete the file and run `nival lock`")
}
