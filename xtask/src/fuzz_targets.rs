//! The libFuzzer targets: built with the compiler's own counters of edges, which the stable toolchain has.

use crate::command::{Failure, run};
use std::path::Path;
use std::process::Command;

/// What lets libFuzzer see which edges of the program a text reaches.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// Runs a target for so many seconds. Texts that reach something new are kept below the target folder and used again.
pub fn fuzz(target: &str, words: &[String]) -> Result<(), Failure> {
    if !["parser", "evaluator"].contains(&target) {
        return Err(Failure::Said(format!(
            "there is no target `{target}`; there are `parser` and `evaluator`"
        )));
    }
    let seconds = words.iter().position(|word| word == "--seconds").and_then(|at| words.get(at + 1));
    let seconds = seconds.map_or("60", String::as_str);
    let said = |error: std::io::Error| Failure::Said(error.to_string());
    let base = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), std::path::PathBuf::from);
    let base = std::path::absolute(base.join("fuzz")).map_err(said)?;
    let corpus = base.join("corpus").join(target);
    let found = base.join("found").join(target);
    for folder in [&corpus, &found] {
        std::fs::create_dir_all(folder).map_err(said)?;
    }
    let mut command = Command::new("cargo");
    command.args(["run", "--release", "--quiet", "--manifest-path", "fuzz/Cargo.toml", "--bin", target]);
    // A target of its own: the flags would be those of procedural macros and build scripts too.
    command.args(["--target", &format!("{}-unknown-linux-gnu", std::env::consts::ARCH)]);
    command.env("RUSTFLAGS", FLAGS).env("CARGO_TARGET_DIR", &base).arg("--").arg(&corpus);
    // The cases of the language, as a beginning.
    command.arg(Path::new("crates/eval/tests/lang"));
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-artifact_prefix={}/", found.display()));
    command.args(["-timeout=20", "-rss_limit_mb=2048", "-max_len=4096", "-print_final_stats=1"]);
    run(command)
}
