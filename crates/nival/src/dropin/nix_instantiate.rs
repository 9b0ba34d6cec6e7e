//! `nix-instantiate`

use super::Common;
use crate::commands::instantiate::{self, Arguments};
use clap::Parser;
use std::ffi::OsString;
use std::process::ExitCode;

/// Translate expressions into derivations, or evaluate them
#[derive(Parser)]
#[command(name = "nix-instantiate", version = crate::dropin::VERSION, args_override_self = true)]
struct DropIn {
    #[command(flatten)]
    own: Arguments,
    /// With `--eval`, print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: Common,
}

/// Does what `nix-instantiate` does.
pub fn main(words: Vec<OsString>) -> ExitCode {
    let arguments = DropIn::parse_from(settings_of_builds(words));
    super::run(&arguments.common, |context| instantiate::answer(context, &arguments.own, arguments.json))
}

/// Settings of builds, which programs that build have options of their own for, as `--option NAME VALUE`.
fn settings_of_builds(words: Vec<OsString>) -> Vec<OsString> {
    let mut all = Vec::new();
    for word in words {
        let name = word.to_str().unwrap_or_default();
        let (name, value) = match name {
            "--timeout" | "--cores" | "--max-jobs" | "--max-silent-time" => (&name[2..], None),
            "-j" => ("max-jobs", None),
            "--keep-failed" | "--keep-going" | "--fallback" => (&name[2..], Some("true")),
            "-K" => ("keep-failed", Some("true")),
            "-k" => ("keep-going", Some("true")),
            _ => {
                all.push(word);
                continue;
            }
        };
        all.extend(["--option".into(), name.into()]);
        all.extend(value.map(OsString::from));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::settings_of_builds;

    #[test]
    fn settings_of_builds_are_taken() {
        let words = ["nix-instantiate", "--timeout", "1", "-k", "-E", "1"];
        let wanted =
            ["nix-instantiate", "--option", "timeout", "1", "--option", "keep-going", "true", "-E", "1"];
        assert_eq!(settings_of_builds(words.map(Into::into).to_vec()), wanted);
    }
}
