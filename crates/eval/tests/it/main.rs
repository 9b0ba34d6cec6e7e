//! Tests of the evaluator: the language's cases, the catalogue, the interface for other crates.

mod catalogue;
mod disk_world;
mod interface;
mod language;
mod limits;
