//! Words of programs whose options belong to one operation among many, which no parser of fixed options can read.

use super::Common;
use crate::error::Error;
use nival_diagnostics::Diagnostic;
use std::ffi::OsString;

/// The words behind a program's name, with the options that all programs take already taken out.
pub struct Words {
    /// Options that all programs take.
    pub common: Common,
    /// All others.
    pub rest: Vec<String>,
    /// Whether the version is asked for.
    pub version: bool,
}

impl Words {
    /// Takes the common options out.
    ///
    /// # Errors
    /// `NV0840` where a value is missing.
    pub fn read(words: Vec<OsString>) -> Result<Self, Error> {
        let mut found = Self {
            common: Common {
                data_dir: std::env::var_os("NIVAL_DATA_DIR").map(Into::into),
                ..Common::default()
            },
            rest: Vec::new(),
            version: false,
        };
        let mut words = words.into_iter().skip(1).map(|word| word.to_string_lossy().into_owned());
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| usage(&format!("`{word}` needs a value")));
            match word.as_str() {
                "--store" => found.common.store = Some(value()?),
                "--log-format" => found.common.log_format = Some(value()?),
                "--data-dir" => found.common.data_dir = Some(value()?.into()),
                // They are read where settings are.
                "--option" => drop((value()?, value()?)),
                "--show-trace" => found.common.show_trace = true,
                "--quiet" => found.common.quiet = true,
                "--verbose" => found.common.verbose += 1,
                "--version" => found.version = true,
                _ => found.rest.extend(spread(word, &mut found.common.verbose)),
            }
        }
        Ok(found)
    }
}

/// Short options that are written together, one by one; `-v` is counted.
fn spread(word: String, verbose: &mut u8) -> Vec<String> {
    let letters = word
        .strip_prefix('-')
        .filter(|rest| !rest.is_empty() && rest.chars().all(|letter| letter.is_ascii_alphabetic()));
    let Some(letters) = letters else { return vec![word] };
    let mut all = Vec::new();
    for letter in letters.chars() {
        if letter == 'v' {
            *verbose = verbose.saturating_add(1);
        } else {
            all.push(format!("-{letter}"));
        }
    }
    all
}

/// What was typed has no meaning.
pub fn usage(message: &str) -> Error {
    Error::plain(
        Diagnostic::error(&crate::diagnostics::usage::ENTRY, message.to_owned())
            .help("the manual of the program of that name tells its options"),
    )
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn short_options_can_be_written_together() {
        let words = ["nix-store", "-qR", "-vv", "--store", "/x", "--option", "a", "b", "-"];
        let found = Words::read(words.iter().map(Into::into).collect());
        let found = found.unwrap_or_else(|_| panic!("they can be read"));
        assert_eq!(found.rest, ["-q", "-R", "-"]);
        assert_eq!((found.common.verbose, found.common.store.as_deref()), (2, Some("/x")));
    }
}
