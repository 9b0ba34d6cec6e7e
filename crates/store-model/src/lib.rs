//! Store paths, hashes, derivations and NAR as plain data and streaming codecs.
//!
//! Everything here is computed the way Nix computes it, byte for byte; see the
//! chapters "Store path", "Store object" and "Derivation" of the Nix manual.
//!
//! **Invariant**: no files, no clock, no environment. Callers bring bytes.

pub mod base32;
pub mod base64;
pub mod content_address;
pub mod derivation;
pub mod hash;
pub mod nar;
pub mod nar_info;
pub mod rewrite;
pub mod signature;
pub mod store_path;

pub use content_address::{ContentAddress, ContentAddressError};
pub use derivation::{Derivation, DerivationError, DerivationFile, Output, OutputKind};
pub use hash::{Algorithm, Hash, HashError, Hasher};
pub use nar_info::{Compression, NarInfo, NarInfoError};
pub use signature::{KeyError, PublicKey, SecretKey, Signature};
pub use store_path::{ContentMethod, StoreDir, StorePath, StorePathError};
