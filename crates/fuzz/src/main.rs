//! Random expressions, evaluated here and by C++ Nix, and compared.
//!
//! `nival-fuzz --count N [--seed S] [--peer PROGRAM]` makes expressions from the seed, gives each to both programs and
//! compares: the same value, or both an error of the same kind (one that `tryEval` catches, or one that it does not).
//! A difference is made smaller before it is shown. It is no part of the product.

mod compare;
mod generate;
mod node;
mod ours;
mod peer;
mod signatures;
mod texts;

use std::process::ExitCode;

/// What a run is told.
#[derive(Clone, Debug)]
struct Options {
    count: u64,
    seed: u64,
    peer: String,
    show: bool,
    only: Option<u64>,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    match compare::run(&options) {
        Ok(report) => {
            print!("{report}");
            if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("the comparison cannot go on: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut words: impl Iterator<Item = String>) -> Result<Options, String> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seed = now.map_or(1, |since| u64::from(since.subsec_nanos()) ^ since.as_secs());
    let mut options = Options { count: 2_000, seed, peer: "nix".to_owned(), show: false, only: None };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
        let number = |text: String| text.parse::<u64>().map_err(|_| format!("`{text}` is no number"));
        match word.as_str() {
            "--count" => options.count = number(value()?)?,
            "--seed" => options.seed = number(value()?)?,
            "--peer" => options.peer = value()?,
            "--show" => options.show = true,
            "--only" => options.only = Some(number(value()?)?),
            _ => {
                let usage =
                    "usage: nival-fuzz [--count N] [--seed S] [--peer PROGRAM] [--show] [--only INDEX]";
                return Err(format!("unknown word `{word}`\n{usage}"));
            }
        }
    }
    Ok(options)
}
