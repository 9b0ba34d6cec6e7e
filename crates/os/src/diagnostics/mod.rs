//! The diagnostics that machines raise.

pub mod boot;
pub mod busy;
pub mod capability;
pub mod check;
pub mod control_group;
pub mod crashed;
pub mod disk_full;
pub mod file_clash;
pub mod generation;
pub mod host_unit;
pub mod id_range;
pub mod interrupted;
pub mod io;
pub mod machine_name;
pub mod manifest;
pub mod missing_package;
pub mod missing_secret;
pub mod needs_root;
pub mod no_journal;
pub mod no_unit;
pub mod not_running;
pub mod owner;
pub mod path;
pub mod port;
pub mod preflight;
pub mod running;
pub mod supervisor;
pub mod switch;
pub mod unknown_machine;
pub mod unknown_secret;

use nival_diagnostics::Entry;

/// All entries of this crate.
pub static ENTRIES: &[&Entry] = &[
    &io::ENTRY,
    &disk_full::ENTRY,
    &manifest::ENTRY,
    &machine_name::ENTRY,
    &file_clash::ENTRY,
    &owner::ENTRY,
    &id_range::ENTRY,
    &control_group::ENTRY,
    &running::ENTRY,
    &not_running::ENTRY,
    &unknown_machine::ENTRY,
    &boot::ENTRY,
    &check::ENTRY,
    &switch::ENTRY,
    &preflight::ENTRY,
    &port::ENTRY,
    &generation::ENTRY,
    &busy::ENTRY,
    &path::ENTRY,
    &missing_package::ENTRY,
    &supervisor::ENTRY,
    &host_unit::ENTRY,
    &capability::ENTRY,
    &interrupted::ENTRY,
    &no_unit::ENTRY,
    &missing_secret::ENTRY,
    &unknown_secret::ENTRY,
    &needs_root::ENTRY,
    &no_journal::ENTRY,
    &crashed::ENTRY,
];
