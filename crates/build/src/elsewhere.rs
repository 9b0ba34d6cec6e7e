//! Other machines that build.

use crate::build_error::BuildError;
use crate::one::{Job, Surroundings};
use nival_store_model::StorePath;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Other machines that build.
pub trait Machines: fmt::Debug + Send + Sync {
    /// The place of one that may build for a system and has some features.
    fn place(&self, system: &str, features: &BTreeSet<String>) -> Place;
}

/// What machines have for a build.
pub enum Place {
    /// One builds it, and nothing else in that place meanwhile.
    Free(Box<dyn Builds>),
    /// There is one that could, at another time.
    Busy,
    /// None of them could.
    Nowhere,
}

/// A place of a machine that is kept for one build.
pub trait Builds: Send {
    /// The machine.
    fn name(&self) -> &str;

    /// Builds, and brings the outputs into the store.
    ///
    /// # Errors
    /// [`Elsewhere`].
    fn build(
        &self,
        around: &Surroundings<'_>,
        job: &Job<'_>,
    ) -> Result<BTreeMap<String, StorePath>, Elsewhere>;
}

/// Why a machine did not build.
pub enum Elsewhere {
    /// It could not be reached, and is not asked again.
    Unreachable(String),
    /// The build failed, or its outputs could not be brought.
    Failed(BuildError),
}

impl From<BuildError> for Elsewhere {
    fn from(error: BuildError) -> Self {
        Self::Failed(error)
    }
}
