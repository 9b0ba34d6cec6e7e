//! The diagnostics that the command raises.

pub mod bad_hash;
pub mod bad_manifest;
pub mod cannot_run;
pub mod clash;
pub mod in_the_way;
pub mod no_log;
pub mod no_source;
pub mod no_store;
pub mod not_in_archive;
pub mod other_project;
pub mod profile_refused;
pub mod refused;
pub mod unknown_code;
pub mod untrusted_setting;
pub mod unwritable;
pub mod usage;

use nival_diagnostics::Entry;

/// All entries of this crate.
pub static ENTRIES: &[&Entry] = &[
    &unknown_code::ENTRY,
    &in_the_way::ENTRY,
    &unwritable::ENTRY,
    &refused::ENTRY,
    &no_log::ENTRY,
    &no_source::ENTRY,
    &no_store::ENTRY,
    &other_project::ENTRY,
    &bad_hash::ENTRY,
    &not_in_archive::ENTRY,
    &usage::ENTRY,
    &clash::ENTRY,
    &bad_manifest::ENTRY,
    &cannot_run::ENTRY,
    &profile_refused::ENTRY,
    &untrusted_setting::ENTRY,
];
