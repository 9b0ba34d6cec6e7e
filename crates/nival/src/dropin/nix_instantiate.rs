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
    let arguments = DropIn::parse_from(words);
    super::run(&arguments.common, |context| instantiate::answer(context, &arguments.own, arguments.json))
}
