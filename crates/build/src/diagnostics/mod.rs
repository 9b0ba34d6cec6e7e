//! The catalogue's entries of this crate, one file each.

mod nv0520_format;
mod nv0521_damaged;
mod nv0522_unsafe;
mod nv0523_too_large;
mod nv0524_disk;
mod nv0525_cancelled;

pub use nv0520_format::ENTRY as NV0520;
pub use nv0521_damaged::ENTRY as NV0521;
pub use nv0522_unsafe::ENTRY as NV0522;
pub use nv0523_too_large::ENTRY as NV0523;
pub use nv0524_disk::ENTRY as NV0524;
pub use nv0525_cancelled::ENTRY as NV0525;

use nival_diagnostics::Entry;

/// All entries of this crate.
pub static ENTRIES: &[&Entry] = &[&NV0520, &NV0521, &NV0522, &NV0523, &NV0524, &NV0525];
