//! Bringing derivations' outputs into the store: what is there is used, what a cache has is brought, the rest is built,
//! each as soon as what it needs is there.

mod plan;
mod repair;
mod run;
mod substituter;
mod task;

pub use plan::{Plan, Wanted};
pub use substituter::{Offer, Offered, Substituter};
pub use task::build_alone;

use crate::build_error::BuildError;
use crate::one::Surroundings;
use crate::outputs::Mode;
use nival_store_model::StorePath;
use std::collections::BTreeMap;

/// What is wanted of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Outputs of a derivation.
    Outputs(StorePath, Wanted),
    /// A path, which must be there or in a cache.
    Path(StorePath),
}

/// What became of one request: its outputs by name (a path has the empty name), or why there are none.
pub type Answer = Result<BTreeMap<String, StorePath>, BuildError>;

/// How a run is done.
#[derive(Clone, Copy, Default)]
pub struct Run<'a> {
    /// How outputs that are there are treated, of the requested derivations alone.
    pub mode: Mode,
    /// Where paths are brought from.
    pub substituter: Option<&'a dyn Substituter>,
    /// Whether what cannot be brought is built.
    pub fallback: bool,
    /// Whether nothing is done but to plan.
    pub dry: bool,
}

/// What became of a run.
#[derive(Debug)]
pub struct Outcome {
    /// Of each request, in their order.
    pub answers: Vec<Answer>,
    /// What failed by itself, in the order of time; a request that needed one of these has [`BuildError::Dependency`].
    pub failures: Vec<BuildError>,
}

/// Brings what is requested into the store.
///
/// # Errors
/// Where nothing can be done at all: the store cannot be read, or everything was cancelled.
pub fn build(around: &Surroundings<'_>, requests: &[Request], run: Run<'_>) -> Result<Outcome, BuildError> {
    let mut all = requests.to_vec();
    if run.mode == Mode::Repair {
        all.extend(repair::damaged(around, requests)?);
    }
    let plan = Plan::make(around.store, &all, &run)?;
    plan.tell(around, &run)?;
    if run.dry {
        let answers = requests.iter().enumerate().map(|(n, request)| plan.expected(around.store, n, request));
        return Ok(Outcome { answers: answers.collect(), failures: Vec::new() });
    }
    let mut outcome = run::carry_out(around, plan, &all, &run)?;
    outcome.answers.truncate(requests.len());
    Ok(outcome)
}
