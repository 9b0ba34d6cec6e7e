//! The catalogue's entries of this crate, one file each.

mod nv0401_unknown_package;
pub(crate) mod nv0402_conflict;
mod nv0403_signature;
pub(crate) mod nv0404_out_of_date;
mod nv0405_wrong_suite;
mod nv0406_index;
mod nv0407_no_mirror;
mod nv0408_release;
pub(crate) mod nv0409_lock;
pub(crate) mod nv0410_gone;
mod nv0411_virtual;
mod nv0412_version;
mod nv0413_not_locked;
mod nv0414_key;
mod nv0415_disk;
mod nv0416_reference;
mod nv0417_feature;
mod nv0418_mismatch;
mod nv0419_program;
mod nv0420_archive;
mod nv0421_refused;
mod nv0422_registry;
mod nv0423_flake;
mod nv0424_lock;
mod nv0425_missing_program;
mod nv0426_file;
mod nv0427_warning;

pub use nv0401_unknown_package::ENTRY as NV0401;
pub use nv0402_conflict::ENTRY as NV0402;
pub use nv0403_signature::ENTRY as NV0403;
pub use nv0404_out_of_date::ENTRY as NV0404;
pub use nv0405_wrong_suite::ENTRY as NV0405;
pub use nv0406_index::ENTRY as NV0406;
pub use nv0407_no_mirror::ENTRY as NV0407;
pub use nv0408_release::ENTRY as NV0408;
pub use nv0409_lock::ENTRY as NV0409;
pub use nv0410_gone::ENTRY as NV0410;
pub use nv0411_virtual::ENTRY as NV0411;
pub use nv0412_version::ENTRY as NV0412;
pub use nv0413_not_locked::ENTRY as NV0413;
pub use nv0414_key::ENTRY as NV0414;
pub use nv0415_disk::ENTRY as NV0415;
pub use nv0416_reference::ENTRY as NV0416;
pub use nv0417_feature::ENTRY as NV0417;
pub use nv0418_mismatch::ENTRY as NV0418;
pub use nv0419_program::ENTRY as NV0419;
pub use nv0420_archive::ENTRY as NV0420;
pub use nv0421_refused::ENTRY as NV0421;
pub use nv0422_registry::ENTRY as NV0422;
pub use nv0423_flake::ENTRY as NV0423;
pub use nv0424_lock::ENTRY as NV0424;
pub use nv0425_missing_program::ENTRY as NV0425;
pub use nv0426_file::ENTRY as NV0426;
pub use nv0427_warning::ENTRY as NV0427;

use nival_diagnostics::Entry;

/// All entries of this crate.
pub static ENTRIES: &[&Entry] = &[
    &NV0401, &NV0402, &NV0403, &NV0404, &NV0405, &NV0406, &NV0407, &NV0408, &NV0409, &NV0410, &NV0411,
    &NV0412, &NV0413, &NV0414, &NV0415, &NV0416, &NV0417, &NV0418, &NV0419, &NV0420, &NV0421, &NV0422,
    &NV0423, &NV0424, &NV0425, &NV0426, &NV0427,
];

/// What is wrong with a package that somebody asks for by name.
pub static REQUESTS: &[&Entry] = &[&NV0401, &NV0411, &NV0412];
