//! Measuring speed and memory, as ratios against the peer where there is one.

use crate::command::{Failure, cargo, run};

/// Runs the benchmarks; figures go to standard output as a Markdown table.
pub fn bench(words: &[String]) -> Result<(), Failure> {
    run(cargo(&["build", "--release", "--package", "nival"]))?;
    let mut arguments = vec!["run", "--release", "--quiet", "--package", "nival", "--example", "bench", "--"];
    arguments.extend(words.iter().map(String::as_str));
    run(cargo(&arguments))
}
