//! `nix`: its subcommands, each in a file of its own.

mod build;
mod config;
mod derivation;
mod develop;
mod eval;
mod log;
mod native;
mod repl;
mod run;
mod search;
mod shell;
mod target;
mod why_depends;

use crate::late::Late;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;

/// Nix's command, done by this program
#[derive(Parser)]
#[command(name = "nix", version = crate::dropin::VERSION, args_override_self = true)]
struct Nix {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build derivations, and link to the results
    Build(Late<build::Arguments>),
    /// Evaluate an expression, and print its value
    Eval(Late<eval::Arguments>),
    /// Show the log of a build
    Log(Late<log::Arguments>),
    /// Show or add derivations as JSON
    #[command(subcommand)]
    Derivation(derivation::Command),
    /// Start a shell in the environment of a derivation
    #[command(alias = "dev-shell")]
    Develop(Late<develop::Arguments>),
    /// Print the environment of a derivation
    PrintDevEnv(Late<develop::Print>),
    /// Read expressions, and print their values
    Repl(Late<repl::Arguments>),
    /// Run the program of a package, or an app
    #[command(alias = "app")]
    Run(Late<run::Arguments>),
    /// Search packages
    Search(Late<search::Arguments>),
    /// Run a program, or a shell, with packages at hand
    Shell(Late<shell::Arguments>),
    /// Show why a package needs another one
    WhyDepends(Late<why_depends::Arguments>),
    /// Show settings
    #[command(subcommand, alias = "show-config")]
    Config(config::Command),
}

/// Does what `nix` does.
pub fn main(words: Vec<OsString>) -> ExitCode {
    let mut words = options_behind(words);
    // `nix env shell` is the long name of `nix shell`.
    if words.get(1).is_some_and(|word| word == "env") && words.get(2).is_some_and(|word| word == "shell") {
        words.remove(1);
    }
    // `nix doctor` is the old name of `nix config check`.
    if words.get(1).is_some_and(|word| word == "doctor") {
        words.splice(1..2, ["config".into(), "check".into()]);
    }
    if native::is_native(&words) {
        return native::main(words);
    }
    match Nix::parse_from(words).command {
        Command::Build(arguments) => {
            super::run(&arguments.target.common.clone(), |context| build::run(context, &arguments))
        }
        Command::Eval(arguments) => {
            super::run(&arguments.common.clone(), |context| eval::run(context, &arguments))
        }
        Command::Log(arguments) => {
            super::run(&arguments.common.clone(), |context| log::run(context, &arguments))
        }
        Command::Develop(arguments) => {
            super::run(&arguments.target.common.clone(), |context| develop::run(context, &arguments))
        }
        Command::PrintDevEnv(arguments) => {
            super::run(&arguments.target.common.clone(), |context| develop::print(context, &arguments))
        }
        Command::Repl(arguments) => {
            super::run(&arguments.target.common.clone(), |context| repl::run(context, &arguments))
        }
        Command::Run(arguments) => {
            super::run(&arguments.common.clone(), |context| run::run(context, &arguments))
        }
        Command::Search(arguments) => {
            super::run(&arguments.common.clone(), |context| search::run(context, &arguments))
        }
        Command::Shell(arguments) => {
            super::run(&arguments.target.common.clone(), |context| shell::run(context, &arguments))
        }
        Command::WhyDepends(arguments) => {
            super::run(&arguments.target.common.clone(), |context| why_depends::run(context, &arguments))
        }
        Command::Derivation(command) => {
            super::run(&command.common(), |context| derivation::run(context, &command))
        }
        Command::Config(command) => super::run(&command.common(), |context| config::run(context, &command)),
    }
}

/// How many words follow an option that may stand in front of the subcommand.
fn words_of(option: &str) -> usize {
    match option {
        "--option" => 2,
        "--store" | "--log-format" | "--eval-store" | "-I" | "--include" | "--max-jobs" | "-j"
        | "--cores" | "--arg-from-file" | "--timeout" | "--max-silent-time" => 1,
        _ => 0,
    }
}

/// The words with options in front of the subcommand moved behind it, where every subcommand takes them.
fn options_behind(words: Vec<OsString>) -> Vec<OsString> {
    let mut front = Vec::new();
    let mut rest = words.into_iter();
    let mut all: Vec<OsString> = rest.by_ref().take(1).collect();
    while let Some(word) = rest.next() {
        let text = word.to_str().unwrap_or_default().to_owned();
        if !text.starts_with('-') || ["--help", "-h", "--version"].contains(&text.as_str()) {
            all.push(word);
            let mut rest: Vec<OsString> = rest.collect();
            // Groups have their own subcommand, which comes first as well.
            let group =
                ["derivation", "config", "store", "hash", "flake", "profile", "registry", "key", "nar"];
            if group.contains(&text.as_str())
                && rest.first().and_then(|w| w.to_str()).is_some_and(|w| !w.starts_with('-'))
            {
                all.push(rest.remove(0));
            }
            all.extend(front);
            all.extend(rest);
            return all;
        }
        front.push(word);
        front.extend(rest.by_ref().take(words_of(&text)));
    }
    all.extend(front);
    all
}

#[cfg(test)]
mod tests {
    use super::options_behind;

    #[test]
    fn options_move_behind_the_subcommand() {
        let words = ["nix", "--option", "a", "b", "-L", "config", "show", "x"];
        let found = options_behind(words.iter().map(Into::into).collect());
        assert_eq!(found, ["nix", "config", "show", "--option", "a", "b", "-L", "x"]);
    }
}
