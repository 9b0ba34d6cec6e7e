//! `NV0624`: the switch was interrupted and was taken back.

use nival_diagnostics::{Entry, Example};

/// The entry of the catalogue.
pub static ENTRY: Entry = Entry {
    code: "NV0624",
    title: "the switch was interrupted and was taken back",
    page: "The machine or its executor was ended in the middle of a switch. The journal on disk said that the new generation was\nnot yet whole, so the old one was put back. Give the command again.",
    example: Example::Situation {
        story: "The executor is killed in the middle of a switch.",
        test: "a_killed_executor_takes_the_switch_back",
    },
};
