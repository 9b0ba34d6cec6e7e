//! What this host offers to machines: ids, a control group, a copy of this program to run inside.

mod group;
mod ids;
mod runtime;

pub(crate) use group::{Groups, Place, base, place};
pub(crate) use ids::{IdRange, find_program, hand_out, user_name};
pub(crate) use runtime::install;

/// Whether this process is the host's root (not that of a user namespace with few ids).
pub(crate) fn is_root() -> bool {
    nival_sys::process::user_id() == 0 && holds_all_ids()
}

/// Whether this process is in no user namespace that hides ids from it.
pub(crate) fn holds_all_ids() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let mut words = map.split_whitespace();
    (words.next(), words.next()) == (Some("0"), Some("0"))
}
