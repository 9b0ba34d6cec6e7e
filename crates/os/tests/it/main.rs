//! Roots, plans and machines.
//!
//! Tests of whole machines want a manifest with nginx and PostgreSQL (`NIVAL_TEST_MANIFEST`) and the folder that
//! contains its `nix/store` (`NIVAL_TEST_STORE`), which `.ci/run` gives; without, they have nothing to look at.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod compose;
mod fixture;
mod machine;
mod plan;
mod refused;
