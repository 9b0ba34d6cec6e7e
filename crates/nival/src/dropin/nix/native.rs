//! Subcommands that this program has under the same names and with the same options.

use crate::arguments::Arguments;
use crate::commands;
use crate::context::Context;
use crate::output::Output;
use clap::Parser as _;
use std::ffi::OsString;
use std::process::ExitCode;

/// Subcommands of Nix that are also this program's own.
const NAMES: &[&str] = &["copy", "flake", "hash", "key", "nar", "path-info", "profile", "registry", "store"];

/// Older names of some of them.
const OLD_NAMES: &[(&str, &[&str])] = &[
    ("add-to-store", &["store", "add"]),
    ("cat-nar", &["nar", "cat"]),
    ("cat-store", &["store", "cat"]),
    ("copy-sigs", &["store", "copy-sigs"]),
    ("diff-closures", &["store", "diff-closures"]),
    ("dump-path", &["store", "dump-path"]),
    ("hash-file", &["hash", "file"]),
    ("hash-path", &["hash", "path"]),
    ("ls-nar", &["nar", "ls"]),
    ("ls-store", &["store", "ls"]),
    ("make-content-addressable", &["store", "make-content-addressed"]),
    ("ping-store", &["store", "info"]),
    ("sign-paths", &["store", "sign"]),
    ("to-base16", &["hash", "to-base16"]),
    ("to-base32", &["hash", "to-base32"]),
    ("to-base64", &["hash", "to-base64"]),
];

fn new_names(name: &OsString) -> Option<&'static [&'static str]> {
    OLD_NAMES.iter().find(|(old, _)| *old == name).map(|(_, new)| *new)
}

/// Whether the subcommand is one of these; it is the first word behind the program's name.
pub fn is_native(words: &[OsString]) -> bool {
    words.get(1).is_some_and(|name| NAMES.iter().any(|known| *known == name) || new_names(name).is_some())
}

/// Runs one of them.
pub fn main(words: Vec<OsString>) -> ExitCode {
    let mut all = Vec::new();
    let mut words = words.into_iter();
    let mut is_loud = true;
    while let Some(word) = words.next() {
        match (all.len(), word.to_str()) {
            (1, _) if new_names(&word).is_some() => {
                all.extend(new_names(&word).into_iter().flatten().map(OsString::from));
            }
            // They say little, so there is no more to be said.
            (_, Some("-v" | "--verbose" | "-vv" | "-vvv" | "-vvvv" | "-vvvvv")) => {}
            (_, Some("--quiet")) => is_loud = false,
            (_, Some("--log-format")) => drop(words.next()),
            _ => all.push(word),
        }
    }
    let arguments = Arguments::parse_from(all);
    let mut output = Output::new(arguments.color, arguments.json).plain();
    if !is_loud {
        output = output.quiet();
    }
    let result = Context::new(&arguments.shared(), &output)
        .and_then(|mut context| commands::run(&mut context, arguments.command));
    result.unwrap_or_else(|error| {
        output.error(&error);
        error.exit_code()
    })
}
