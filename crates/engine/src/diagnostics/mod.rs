//! The diagnostics that the engine raises.

pub mod assertion;
pub mod cannot_build;
pub mod cannot_fetch;
pub mod clash;
pub mod cycle;
pub mod file;
pub mod forbidden;
pub mod needs_lock;
pub mod nix_conf;
pub mod no_configuration;
pub mod no_derivation;
pub mod no_environment;
pub mod no_selection;
pub mod no_such_machine;
pub mod no_such_service;
pub mod other_hash;
pub mod patch;
pub mod requirement;

use nival_diagnostics::Entry;

/// All entries of this crate.
pub static ENTRIES: &[&Entry] = &[
    &assertion::ENTRY,
    &no_configuration::ENTRY,
    &file::ENTRY,
    &no_such_machine::ENTRY,
    &needs_lock::ENTRY,
    &cannot_fetch::ENTRY,
    &cannot_build::ENTRY,
    &other_hash::ENTRY,
    &no_selection::ENTRY,
    &no_derivation::ENTRY,
    &no_environment::ENTRY,
    &forbidden::ENTRY,
    &nix_conf::ENTRY,
    &clash::ENTRY,
    &cycle::ENTRY,
    &patch::ENTRY,
    &no_such_service::ENTRY,
    &requirement::ENTRY,
];
