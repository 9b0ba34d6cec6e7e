//! Derivations: what is built, from what, by what.
//!
//! The text form is the ATerm of the Nix manual's chapter "Store derivation";
//! paths and hashes come from the derivation "modulo" its fixed inputs.

mod aterm;
mod modulo;

pub use aterm::parse;
pub use modulo::{Address, Addressing, Inputs, Modulo, fixed_output_hash};

use crate::hash::{Algorithm, Hash};
use crate::store_path::{ContentMethod, References, StoreDir, StorePath, StorePathError};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How an output gets its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// By the derivation's hash; the path is known.
    InputAddressed(StorePath),
    /// By contents that are known beforehand.
    Fixed {
        /// What is hashed.
        method: ContentMethod,
        /// The contents' hash.
        hash: Hash,
    },
    /// By contents that are known after the build.
    Floating {
        /// What is hashed.
        method: ContentMethod,
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// By the derivation's hash, once inputs that float are built.
    Deferred,
    /// By contents, and never reused.
    Impure {
        /// What is hashed.
        method: ContentMethod,
        /// The algorithm.
        algorithm: Algorithm,
    },
}

/// One output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// How it gets its path.
    pub kind: OutputKind,
}

impl Output {
    /// The path, where it is known before the build.
    ///
    /// # Errors
    /// [`StorePathError::BadName`] where name and output make no name of a path.
    pub fn path(
        &self,
        dir: &StoreDir,
        drv_name: &str,
        output: &str,
    ) -> Result<Option<StorePath>, StorePathError> {
        match &self.kind {
            OutputKind::InputAddressed(path) => Ok(Some(path.clone())),
            OutputKind::Fixed { method, hash } => {
                let name = crate::store_path::output_path_name(drv_name, output);
                dir.fixed_output_path(*method, hash, &References::default(), &name).map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// A derivation as it stands in a `.drv` file; texts are bytes, as in the language.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Derivation {
    /// The name, without `.drv`; not part of the file.
    pub name: String,
    /// Outputs by name.
    pub outputs: BTreeMap<String, Output>,
    /// Derivations that must be built before, with the outputs wanted.
    pub input_derivations: BTreeMap<StorePath, BTreeSet<String>>,
    /// Paths that must be there before.
    pub input_sources: BTreeSet<StorePath>,
    /// The system that builds, such as `x86_64-linux`.
    pub system: Vec<u8>,
    /// The program that builds.
    pub builder: Vec<u8>,
    /// The program's arguments.
    pub arguments: Vec<Vec<u8>>,
    /// The program's environment.
    pub environment: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// The file of a derivation, and what follows from its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivationFile {
    /// Its path.
    pub path: StorePath,
    /// Its text.
    pub text: Box<[u8]>,
    /// The SHA-256 of its text.
    pub hash: Hash,
    /// What it refers to, sorted.
    pub references: Vec<StorePath>,
}

/// Why a text is no derivation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivationError {
    /// The byte at which reading stopped.
    pub offset: usize,
    /// What was expected there.
    pub expected: String,
}

impl fmt::Display for DerivationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "derivation is malformed at byte {}: expected {}", self.offset, self.expected)
    }
}

impl std::error::Error for DerivationError {}

impl Derivation {
    /// Whether this has one output with fixed contents.
    pub fn is_fixed(&self) -> bool {
        self.outputs.len() == 1
            && self.outputs.get("out").is_some_and(|output| matches!(output.kind, OutputKind::Fixed { .. }))
    }

    /// The path of the `.drv` file.
    ///
    /// # Errors
    /// [`StorePathError::BadName`].
    pub fn path(&self, dir: &StoreDir) -> Result<StorePath, StorePathError> {
        Ok(self.file(dir)?.path)
    }

    /// The `.drv` file.
    ///
    /// # Errors
    /// [`StorePathError::BadName`].
    pub fn file(&self, dir: &StoreDir) -> Result<DerivationFile, StorePathError> {
        self.file_of(dir, self.to_aterm(dir)?)
    }

    fn file_of(&self, dir: &StoreDir, text: Vec<u8>) -> Result<DerivationFile, StorePathError> {
        let (hash, references) = (Hash::sha256(&text), self.references());
        let path = dir.text_path(&format!("{}.drv", self.name), &hash, &references)?;
        Ok(DerivationFile { path, text: text.into_boxed_slice(), hash, references })
    }

    /// What the `.drv` file refers to, sorted.
    pub fn references(&self) -> Vec<StorePath> {
        let mut all: Vec<_> =
            self.input_sources.iter().chain(self.input_derivations.keys()).cloned().collect();
        // Two sorted runs.
        all.sort();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests;
