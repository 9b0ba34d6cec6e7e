//! `nival nar`: archives that lie in files

use super::store::{CatNar, LsNar, cat_nar, ls_nar};
use crate::context::Context;
use crate::error::Error;
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// What can be typed behind `nival nar`.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print a file of an archive
    Cat(CatNar),
    /// List what an archive holds
    Ls(LsNar),
}

/// Looks into an archive.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    match &arguments.command {
        Command::Cat(arguments) => cat_nar(arguments),
        Command::Ls(arguments) => ls_nar(context, arguments),
    }
}
