//! NV0402: packages do not go together.

use nival_debian::Conflict;
use nival_diagnostics::{Diagnostic, Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0402",
    title: "packages do not go together",
    page: "The packages that were asked for cannot be installed together. The notes name each relation that could not be fulfilled, and why.\n\nLeave one of the requests out, or put them into roots of their own: two services of one machine can each have their own root.",
    example: Example::Situation {
        story: "A configuration asks for two mail servers, each of which conflicts with the other.",
        test: "requests_that_conflict_are_explained",
    },
};

/// Tells each relation that could not be fulfilled.
pub(crate) fn diagnostic(root: &str, conflict: &Conflict) -> Diagnostic {
    let message = match conflict.problems.first() {
        Some(first) => format!("the packages of `{root}` do not go together: {first}"),
        None => format!("the packages of `{root}` do not go together"),
    };
    let rest = conflict.problems.iter().skip(1);
    rest.fold(Diagnostic::error(&ENTRY, message), |diagnostic, problem| diagnostic.note(problem.to_string()))
        .help("leave one of the requests out, or give each its own root")
}
