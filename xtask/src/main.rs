//! What `just X` runs: checks, tests, generated documents, benchmarks.
//!
//! `cargo xtask X` needs nothing but cargo; `test` installs, as root, the Debian packages that the tests drive, and
//! otherwise prints the line that does.

mod architecture;
mod bench;
mod bench_builds;
mod bench_collector;
mod bench_evaluator;
mod command;
mod derivations;
mod fixture;
mod forms;
mod fuzz_targets;
mod modules_sh;
mod own_modules;
mod peer;
mod real_builds;
mod setup;
mod startup_order;
mod together;
mod torture;

use command::{Failure, cargo, run};
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask check            format, lints, unit tests: minutes
cargo xtask test             everything that must never break, real counterparts included
cargo xtask bless            accept changed generated documents
cargo xtask docs             make the generated reference below docs/reference
cargo xtask bench            measure, and print tables for docs/benchmarks.md
             [evaluator|builds|collector] [--peer NIX-INSTANTIATE] [--nixpkgs DIR] [--ekaos DIR]
cargo xtask torture [SEED] the long campaigns: every interruption, and random kills (--phase P, --every N, --kills N, --resets N,
             --jobs N); `store`: crashes of the store; `resets`: those of a virtual machine, which qemu runs
cargo xtask fuzz             compare random expressions with C++ Nix (--count N, --seed S)
             --target parser|evaluator [--seconds N]: any text, with libFuzzer
cargo xtask derivations      paths of derivations here and by C++ Nix (--peer NIX-INSTANTIATE, --nixpkgs DIR, --corepkgs DIR, --seed N,
             --count N, --nival PROGRAM)
cargo xtask modules-sh       the tests of nixpkgs' module system with native code in its place (--lib DIR, --nival PROGRAM; --own with Nival's library in place of the tree's)
cargo xtask forms            build derivations of every form here and with C++ Nix, and compare
cargo xtask together         one store, used by Nival and C++ Nix in turn and at once (--operations N, --at-once N, --seed S)
cargo xtask real-builds      build programs from source inside roots of Debian packages, with their test suites
cargo xtask startup-order    put the functions that every command runs side by side in the program (needs valgrind; --nival PROGRAM)
cargo xtask setup            install what the tests need";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let result = match words.first().map(String::as_str) {
        Some("check") => check(),
        Some("test") => test(),
        Some("bless" | "docs") => docs(),
        Some("bench") => bench::bench(&words[1..]),
        Some("torture") => torture::torture(&words[1..]),
        Some("fuzz") => fuzz(&words[1..]),
        Some("derivations") => derivations::compare(&words[1..]),
        Some("modules-sh") => modules_sh::run_tests(&words[1..]),
        Some("forms") => forms::compare(),
        Some("together") => together::run_campaign(&words[1..]),
        Some("real-builds") => real_builds::build(),
        Some("startup-order") => startup_order::write(&words[1..]),
        Some("setup") => setup::install(),
        _ => {
            println!("{HELP}");
            return if words.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) };
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> Result<(), Failure> {
    lints()?;
    run(cargo(&["test", "--workspace", "--lib", "--bins", "--quiet"]))?;
    architecture::check()
}

/// Format and lints, where the toolchain has the programs for them.
fn lints() -> Result<(), Failure> {
    for tool in ["fmt", "clippy"] {
        if !cargo(&[tool, "--version"]).output().is_ok_and(|output| output.status.success()) {
            eprintln!("xtask: this toolchain has no `cargo {tool}`: add it with `rustup component add`");
            return Ok(());
        }
    }
    run(cargo(&["fmt", "--all", "--check"]))?;
    run(cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"]))
}

/// The whole test suite, after what it needs was installed.
fn test() -> Result<(), Failure> {
    setup::install()?;
    architecture::check()?;
    lints()?;
    run(cargo(&["build", "--workspace", "--all-targets"]))?;
    let machine = fixture::machine()?;
    let mut all = cargo(&["test", "--workspace"]);
    all.env("NIVAL_APT_ORACLE", "1").envs(machine.variables());
    run(all)?;
    forms::compare()?;
    real_builds::build()?;
    together::run_campaign(&["--operations".to_owned(), "40".to_owned()])?;
    fuzz(&["--count".to_owned(), "2000".to_owned(), "--seed".to_owned(), "1".to_owned()])?;
    torture::sample()?;
    reference_is_current()
}

/// Compares random expressions with C++ Nix; 100,000 of them where nothing else is said.
fn fuzz(words: &[String]) -> Result<(), Failure> {
    if let Some(at) = words.iter().position(|word| word == "--target") {
        return fuzz_targets::fuzz(words.get(at + 1).map_or("", String::as_str), words);
    }
    let nix = peer::nix()?;
    let mut command = cargo(&["run", "--quiet", "--package", "nival-fuzz", "--", "--peer"]);
    command.arg(nix);
    if !words.iter().any(|word| word == "--count") {
        command.args(["--count", "100000"]);
    }
    command.args(words);
    run(command)
}

fn docs() -> Result<(), Failure> {
    run(cargo(&["run", "--quiet", "--package", "nival", "--", "internal", "reference", "docs/reference"]))
}

/// Fails where the committed reference is not what the program makes.
fn reference_is_current() -> Result<(), Failure> {
    docs()?;
    let mut git = std::process::Command::new("git");
    git.args(["diff", "--exit-code", "--stat", "--", "docs/reference"]);
    run(git).map_err(|_| {
        Failure::Said("docs/reference is not current: run `cargo xtask docs` and commit".to_owned())
    })
}
