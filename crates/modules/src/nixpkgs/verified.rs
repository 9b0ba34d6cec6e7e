//! The states of nixpkgs' library whose meaning the native functions have, by the hashes of its three files.

use super::lib::Edition;
use nival_store_model::Hash;

/// One state of the library.
pub(super) struct Verified {
    /// How `--timings` names it.
    pub(super) name: &'static str,
    pub(super) edition: Edition,
    /// The SHA-256 of `modules.nix`, `options.nix` and `types.nix`.
    hashes: [&'static str; 3],
}

/// The files that are looked at, in the order of the hashes.
pub(super) const FILES: [&str; 3] = ["modules.nix", "options.nix", "types.nix"];

const VERIFIED: &[Verified] = &[
    Verified {
        name: "nixpkgs.lib of 2026",
        edition: Edition::Early2026,
        hashes: [
            "57a248a718e6a65506497740eba8d2e0d190b49f7400bba313044bff61e6d15e",
            "813647ad11b7ba7a5b28b54589c6c82555cb50e06dd25c658508db2ec0f8d97a",
            "b1b9a0b71f0a3468c22029ace7b17d2d8fef511d679a8cfde7a29d5c92d3d0d6",
        ],
    },
    Verified {
        name: "ekala's nix-lib of 2026",
        edition: Edition::Mid2025,
        hashes: [
            "7cd5e428123d8d3c44cad4e7e4169e1b81e166d33ca9c9e9f27a6fc60447a9d0",
            "bdfbdd94b1f0496d7e62814337d579c2abe2224a7cd8ff2be92e247f5db0d13a",
            "221b3c63fa4fefe18fa501271d797512ea2ec7864cd1d825c1b69165845564a1",
        ],
    },
];

/// Why a library is not served.
pub(super) enum Unknown {
    /// None of its files is known.
    Wholly,
    /// This one is not that of the state which another one is of.
    File(&'static str, &'static str),
}

/// The state that three files are of.
pub(super) fn verified(texts: [&[u8]; 3]) -> Result<&'static Verified, Unknown> {
    let hashes = texts.map(|text| Hash::sha256(text).base16());
    let mut unknown = Unknown::Wholly;
    for state in VERIFIED {
        let differs = (0..3).filter(|at| hashes[*at] != state.hashes[*at]).collect::<Vec<_>>();
        match differs.as_slice() {
            [] => return Ok(state),
            [first] | [first, _] => unknown = Unknown::File(FILES[*first], state.name),
            _ => {}
        }
    }
    Err(unknown)
}
