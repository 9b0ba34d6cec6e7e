//! `NV0608`: this user has no control group for containers.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0608",
    title: "this user has no control group for containers",
    page: "systemd inside of a machine needs a part of the control group tree (cgroup version 2) that is its own. With systemd on\nthe host, start the command in a scope of its own; without, an administrator makes the folder once. The help names the\ncommands.",
    example: Example::Situation {
        story: "A user whose control group belongs to root starts a machine.",
        test: "a_user_without_a_group_is_told_the_command",
    },
};
