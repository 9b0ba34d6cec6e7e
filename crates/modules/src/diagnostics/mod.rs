//! The diagnostics that the module engine raises.

pub mod circular;
pub mod conflict;
pub mod declared_twice;
pub mod missing_argument;
pub mod not_a_module;
pub mod not_unique;
pub mod read_only;
pub mod undefined_option;
pub mod unknown_option;
pub mod wrong_class;
pub mod wrong_type;

use nival_diagnostics::Entry;

/// All entries of this crate.
pub static ENTRIES: &[&Entry] = &[
    &unknown_option::ENTRY,
    &wrong_type::ENTRY,
    &conflict::ENTRY,
    &undefined_option::ENTRY,
    &not_unique::ENTRY,
    &read_only::ENTRY,
    &declared_twice::ENTRY,
    &not_a_module::ENTRY,
    &missing_argument::ENTRY,
    &circular::ENTRY,
    &wrong_class::ENTRY,
];
