//! The catalogue's entries of this crate, one file each.

mod nv0701_no_network;
mod nv0702_not_found;
mod nv0703_mismatch;
mod nv0704_transfer;
mod nv0705_disk;
mod nv0706_cancelled;
mod nv0707_setup;

pub use nv0701_no_network::ENTRY as NV0701;
pub use nv0702_not_found::ENTRY as NV0702;
pub use nv0703_mismatch::ENTRY as NV0703;
pub use nv0704_transfer::ENTRY as NV0704;
pub use nv0705_disk::ENTRY as NV0705;
pub use nv0706_cancelled::ENTRY as NV0706;
pub use nv0707_setup::ENTRY as NV0707;

use nival_diagnostics::Entry;

/// All entries of this crate.
pub static ENTRIES: &[&Entry] = &[&NV0701, &NV0702, &NV0703, &NV0704, &NV0705, &NV0706, &NV0707];
