//! The diagnostics that the store raises.

pub mod archive;
pub mod database;
pub mod disk_full;
pub mod io;
pub mod missing_reference;
pub mod schema;
pub mod special_file;
pub mod store_name;

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
];
