//! `NV0607`: this user has no range of ids for containers.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0607",
    title: "this user has no range of ids for containers",
    page: "A machine without root needs a range of 65536 user and group ids that belong to you, and the two programs\n`newuidmap` and `newgidmap` that hand it out. An administrator sets this up once, with the commands that the help names.",
    example: Example::Situation {
        story: "A user without an entry in `/etc/subuid` starts a machine.",
        test: "a_user_without_ids_is_told_the_command",
    },
};
