//! The names of Nix's programs: called by one of them, through a link, this program takes its place.
//!
//! Each program is one file here; it translates what was typed into what the commands
//! do, prints as that program prints, and ends with its exit codes. The store is the one
//! that Nix's environment names, and this program's own where it names none.

mod nix;
mod nix_build;
mod nix_collect_garbage;
mod nix_daemon;
mod nix_env;
mod nix_hash;
mod nix_instantiate;
mod nix_prefetch_url;
mod nix_shell;
mod nix_store;
mod settings;
mod version;
mod words;

pub use nix_store::{bytes, repair_one, store_path};
pub use words::usage;

use crate::arguments::{Shared, When};
use crate::context::Context;
use crate::error::Error;
use crate::output::Output;
use clap::{ArgAction, Args};
use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

/// The version of Nix whose programs' places are taken, as they print it.
pub const VERSION: &str = "(Nival) 2.34.8";

type Program = fn(Vec<OsString>) -> ExitCode;

/// The programs by name.
const PROGRAMS: &[(&str, Program)] = &[
    ("nix", nix::main),
    ("nix-build", nix_build::main),
    ("nix-collect-garbage", nix_collect_garbage::main),
    ("nix-daemon", nix_daemon::main),
    ("nix-env", nix_env::main),
    ("nix-hash", nix_hash::main),
    ("nix-instantiate", nix_instantiate::main),
    ("nix-prefetch-url", nix_prefetch_url::main),
    ("nix-shell", nix_shell::main),
    ("nix-store", nix_store::main),
];

/// The program of a name, where its place can be taken.
pub fn program(name: &OsStr) -> Option<Program> {
    PROGRAMS.iter().find(|(known, _)| *known == name).map(|(_, program)| *program)
}

/// Runs one of the programs with the words that were typed, its name in front.
pub fn start(program: Program, words: Vec<OsString>) -> ExitCode {
    if let Some(text) = version::asked(&words) {
        println!("{text}");
        return ExitCode::SUCCESS;
    }
    program(settings_as_options(words.into_iter()))
}

/// Options that all of these programs take.
#[derive(Args, Clone, Default)]
pub struct Common {
    /// Say more; may be given several times
    #[arg(short = 'v', long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Say less
    #[arg(long)]
    pub quiet: bool,
    /// Print the whole way from an error's cause to what was asked for
    #[arg(long)]
    pub show_trace: bool,
    /// How messages look: `internal-json` for programs
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// The folder that holds the store
    #[arg(long, value_name = "FOLDER", env = "NIVAL_DATA_DIR", hide_env_values = true)]
    pub data_dir: Option<std::path::PathBuf>,
    /// The store, instead of the one that the environment names
    #[arg(long, value_name = "STORE")]
    pub store: Option<String>,
}

/// Runs a drop-in's work, and shows its error.
pub fn run(common: &Common, work: impl FnOnce(&mut Context) -> Result<ExitCode, Error>) -> ExitCode {
    let output = Output::new(When::Auto, common.log_format.as_deref() == Some("internal-json")).plain();
    let shared = Shared {
        data_dir: common.data_dir.clone(),
        store: common.store.clone(),
        timings: false,
        show_trace: common.show_trace,
    };
    let result = Context::new(&shared, &output).and_then(|mut context| {
        let code = work(&mut context)?;
        context.finish().map(|()| code)
    });
    match result {
        Ok(code) => code,
        Err(error) => {
            output.error(&error);
            error.exit_code()
        }
    }
}

/// The words with settings that are written as options of their own in the form `--option NAME VALUE`.
pub fn settings_as_options(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut all = Vec::new();
    for word in words {
        let name = word.to_str().and_then(|word| word.strip_prefix("--")).unwrap_or_default();
        match settings::Setting::of(name) {
            // It is an option of each program, too.
            _ if name == "show-trace" => all.push(word),
            // Its value is the next word.
            Some(settings::Setting::Value(name)) => all.extend(["--option".into(), name.into()]),
            Some(settings::Setting::Switch(name, on)) => {
                all.extend(["--option".into(), name.into(), on.to_string().into()]);
            }
            // Nothing is fetched, and what was fetched before is taken however old it is.
            None if name == "offline" => all.extend(
                ["--option", "substitute", "false", "--option", "tarball-ttl", "4294967295"]
                    .map(OsString::from),
            ),
            // What was fetched before is taken however young it is.
            None if name == "refresh" => {
                let names = [
                    "tarball-ttl",
                    "narinfo-cache-meta-ttl",
                    "narinfo-cache-negative-ttl",
                    "narinfo-cache-positive-ttl",
                ];
                all.extend(names.iter().flat_map(|name| ["--option", name, "0"]).map(OsString::from));
            }
            None if name == "debug" => all.push("-vvvvv".into()),
            None => all.push(word),
        }
    }
    all
}

/// Whether Nix has a setting of that name.
pub fn is_setting(name: &str) -> bool {
    let others = ["cores", "fallback", "max-jobs", "max-silent-time", "pure-eval", "restrict-eval", "system"];
    others.contains(&name)
        || ["keep-failed", "keep-going", "max-call-depth", "store", "timeout"].contains(&name)
        || settings::Setting::of(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::settings_as_options;

    #[test]
    fn settings_can_be_options() {
        let words =
            ["nix-instantiate", "--log-lines", "1", "--no-sandbox", "--eval", "--build-use-substitutes"];
        let found = settings_as_options(words.iter().map(Into::into));
        let wanted = [
            "nix-instantiate",
            "--option",
            "log-lines",
            "1",
            "--option",
            "sandbox",
            "false",
            "--eval",
            "--option",
            "substitute",
            "true",
        ];
        assert_eq!(found, wanted);
    }
}
