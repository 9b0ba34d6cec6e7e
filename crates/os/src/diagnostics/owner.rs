//! `NV0606`: a file belongs to a user or group that is not declared.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0606",
    title: "a file belongs to a user or group that is not declared",
    page: "A package or a declaration gives a file to a user or group by name, and the machine declares none of that name.\nDeclare it under `users.users` or `users.groups`.",
    example: Example::Situation {
        story: "A package's file belongs to the group `nosuch`.",
        test: "an_owner_that_is_not_declared_is_refused",
    },
};
