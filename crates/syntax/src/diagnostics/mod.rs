//! The catalogue of what can be wrong with a text.

use nival_diagnostics::Entry;

pub mod duplicate_attribute;
pub mod duplicate_formal;
pub mod dynamic_attribute;
pub mod nested_too_deeply;
pub mod number_out_of_range;
pub mod operator_not_associative;
pub mod path_trailing_slash;
pub mod unexpected_token;
pub mod unterminated_comment;
pub mod unterminated_string;
pub mod zero_byte;

/// All entries of this crate, by code.
pub static ENTRIES: &[&Entry] = &[
    &unexpected_token::ENTRY,
    &unterminated_string::ENTRY,
    &unterminated_comment::ENTRY,
    &duplicate_attribute::ENTRY,
    &duplicate_formal::ENTRY,
    &number_out_of_range::ENTRY,
    &path_trailing_slash::ENTRY,
    &dynamic_attribute::ENTRY,
    &nested_too_deeply::ENTRY,
    &operator_not_associative::ENTRY,
    &zero_byte::ENTRY,
];
