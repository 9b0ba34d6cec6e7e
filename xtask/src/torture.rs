//! The long campaigns: every interruption, and random kills.

use crate::command::{Failure, cargo, run};

/// Runs the tests of the command with every point of interruption instead of a sample.
pub fn torture(words: &[String]) -> Result<(), Failure> {
    let seed = words.first().cloned().unwrap_or_else(|| std::process::id().to_string());
    println!("seed {seed}");
    run(cargo(&["build", "--release", "--package", "nival"]))?;
    let mut command =
        cargo(&["test", "--release", "--package", "nival", "--test", "it", "--", "--nocapture", "interrupt"]);
    command.env("NIVAL_TORTURE", seed);
    run(command)
}
