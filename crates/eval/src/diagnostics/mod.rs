//! The catalogue of what can go wrong in an evaluation.

use nival_diagnostics::Entry;

pub mod aborted;
pub mod assertion_failed;
pub mod call_depth_exceeded;
pub mod cannot_coerce;
pub mod cannot_compare;
pub mod division_by_zero;
pub mod duplicate_computed;
pub mod feature;
pub mod import_from_derivation;
pub mod impure;
pub mod ineffective_attribute;
pub mod infinite_recursion;
pub mod integer_overflow;
pub mod interrupted;
pub mod invalid_argument;
pub mod invalid_data;
pub mod invalid_derivation;
pub mod invalid_regex;
pub mod literal;
pub mod memory_exhausted;
pub mod missing_argument;
pub mod missing_attribute;
pub mod no_such_file;
pub mod not_a_function;
pub mod not_in_search_path;
pub mod out_of_bounds;
pub mod secret_misused;
pub mod string_has_context;
pub mod thrown;
pub mod type_mismatch;
pub mod undefined_variable;
pub mod unexpected_argument;
pub mod warned;

/// All entries of this crate, by code.
pub static ENTRIES: &[&Entry] = &[
    &undefined_variable::ENTRY,
    &missing_attribute::ENTRY,
    &type_mismatch::ENTRY,
    &thrown::ENTRY,
    &assertion_failed::ENTRY,
    &aborted::ENTRY,
    &infinite_recursion::ENTRY,
    &call_depth_exceeded::ENTRY,
    &unexpected_argument::ENTRY,
    &missing_argument::ENTRY,
    &not_a_function::ENTRY,
    &division_by_zero::ENTRY,
    &integer_overflow::ENTRY,
    &out_of_bounds::ENTRY,
    &interrupted::ENTRY,
    &literal::ENTRY,
    &memory_exhausted::ENTRY,
    &cannot_coerce::ENTRY,
    &cannot_compare::ENTRY,
    &duplicate_computed::ENTRY,
    &not_in_search_path::ENTRY,
    &invalid_regex::ENTRY,
    &invalid_data::ENTRY,
    &no_such_file::ENTRY,
    &string_has_context::ENTRY,
    &invalid_derivation::ENTRY,
    &import_from_derivation::ENTRY,
    &impure::ENTRY,
    &feature::ENTRY,
    &secret_misused::ENTRY,
    &invalid_argument::ENTRY,
    &warned::ENTRY,
    &ineffective_attribute::ENTRY,
];
