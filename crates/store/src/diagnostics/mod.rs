//! The diagnostics that the store raises.

pub mod address;
pub mod archive;
pub mod cache;
pub mod daemon;
pub mod database;
pub mod derivation;
pub mod disk_full;
pub mod in_use;
pub mod io;
pub mod key;
pub mod lie;
pub mod missing_path;
pub mod missing_reference;
pub mod not_a_file;
pub mod not_valid;
pub mod nothing_to_read;
pub mod other_contents;
pub mod other_realisation;
pub mod root_in_the_way;
pub mod schema;
pub mod special_file;
pub mod still_alive;
pub mod store_name;
pub mod unaddressed;
pub mod untrusted;
pub mod wrong_output;

use nival_diagnostics::Entry;

/// All entries of this crate.
pub static ENTRIES: &[&Entry] = &[
    &disk_full::ENTRY,
    &io::ENTRY,
    &database::ENTRY,
    &schema::ENTRY,
    &store_name::ENTRY,
    &special_file::ENTRY,
    &missing_reference::ENTRY,
    &archive::ENTRY,
    &not_a_file::ENTRY,
    &not_valid::ENTRY,
    &in_use::ENTRY,
    &unaddressed::ENTRY,
    &other_contents::ENTRY,
    &derivation::ENTRY,
    &wrong_output::ENTRY,
    &other_realisation::ENTRY,
    &cache::ENTRY,
    &untrusted::ENTRY,
    &lie::ENTRY,
    &missing_path::ENTRY,
    &key::ENTRY,
    &address::ENTRY,
    &daemon::ENTRY,
    &still_alive::ENTRY,
    &root_in_the_way::ENTRY,
    &nothing_to_read::ENTRY,
];
