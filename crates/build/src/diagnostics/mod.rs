//! The catalogue's entries of this crate, one file each.

mod nv0520_format;
mod nv0521_damaged;
mod nv0522_unsafe;
mod nv0523_too_large;
mod nv0524_disk;
mod nv0525_cancelled;
mod nv0530_builder;
mod nv0531_limit;
mod nv0532_hash_mismatch;
mod nv0533_output;
mod nv0534_not_deterministic;
mod nv0535_malformed;
mod nv0536_unfit;
mod nv0537_dependency;
mod nv0538_missing;
mod nv0539_sandbox;

pub use nv0520_format::ENTRY as NV0520;
pub use nv0521_damaged::ENTRY as NV0521;
pub use nv0522_unsafe::ENTRY as NV0522;
pub use nv0523_too_large::ENTRY as NV0523;
pub use nv0524_disk::ENTRY as NV0524;
pub use nv0525_cancelled::ENTRY as NV0525;
pub use nv0530_builder::ENTRY as NV0530;
pub use nv0531_limit::ENTRY as NV0531;
pub use nv0532_hash_mismatch::ENTRY as NV0532;
pub use nv0533_output::ENTRY as NV0533;
pub use nv0534_not_deterministic::ENTRY as NV0534;
pub use nv0535_malformed::ENTRY as NV0535;
pub use nv0536_unfit::ENTRY as NV0536;
pub use nv0537_dependency::ENTRY as NV0537;
pub use nv0538_missing::ENTRY as NV0538;
pub use nv0539_sandbox::ENTRY as NV0539;

use nival_diagnostics::Entry;

/// All entries of this crate.
pub static ENTRIES: &[&Entry] = &[
    &NV0520, &NV0521, &NV0522, &NV0523, &NV0524, &NV0525, &NV0530, &NV0531, &NV0532, &NV0533, &NV0534,
    &NV0535, &NV0536, &NV0537, &NV0538, &NV0539,
];
