//! `nival store`: what can be done with a store and single paths

mod add;
mod cat;
mod checking;
mod content_address;
mod diff_closures;
mod dump;
pub mod gc;
mod info;
mod keeping;
mod logs;
mod ls;
mod prefetch;
mod sign;

use crate::context::Context;
use crate::error::Error;
use clap::{Args, Subcommand};
use std::process::ExitCode;

pub use cat::{NarArguments as CatNar, cat_nar};
pub use diff_closures::{changes, name_and_version};
pub use keeping::{Verify, verify};
pub use ls::{NarArguments as LsNar, ls_nar};
pub use prefetch::{Wanted, parse as parse_hash, prefetch};

/// What can be typed behind `nival store`.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add files or trees to the store, and print their paths
    Add(add::Arguments),
    #[command(hide = true, name = "add-file")]
    AddFile(add::OfKind),
    #[command(hide = true, name = "add-path")]
    AddPath(add::OfKind),
    /// Print a file of the store
    Cat(cat::Arguments),
    /// Copy the logs of builds between stores
    CopyLog(logs::CopyLog),
    /// Copy signatures of paths from other stores
    CopySigs(logs::CopySigs),
    /// Delete paths that nothing needs
    Delete(keeping::Delete),
    /// Show which packages and versions differ between two paths with all that they refer to
    DiffClosures(diff_closures::Arguments),
    /// Print the archive of a path
    DumpPath(dump::Arguments),
    /// Write paths and what they refer to, for `import`
    Export(keeping::Export),
    #[command(hide = true)]
    Gc(gc::Arguments),
    /// Read paths that `export` wrote
    Import,
    /// Show which store is meant, and whether it answers
    #[command(alias = "ping")]
    Info(info::Arguments),
    /// List what a path of the store holds
    Ls(ls::Arguments),
    /// Copy paths to names that follow from their contents
    MakeContentAddressed(content_address::Arguments),
    /// Let equal files be one on the disk
    #[command(alias = "optimize")]
    Optimise,
    /// Print the path whose name begins with these digits
    PathFromHashPart(keeping::HashPart),
    /// Download a file into the store, and print its hash
    PrefetchFile(prefetch::Arguments),
    /// Sign paths
    Sign(sign::Arguments),
    /// Check paths of a store: their contents, and who vouches for them; without any, the whole store
    #[command(hide = true)]
    Verify(checking::Arguments),
}

/// Runs one of them.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    match &arguments.command {
        Command::Add(arguments) => add::run(context, arguments),
        Command::AddFile(arguments) => add::of_kind(context, arguments, add::Mode::Flat),
        Command::AddPath(arguments) => add::of_kind(context, arguments, add::Mode::Nar),
        Command::Cat(arguments) => cat::run(context, arguments),
        Command::CopyLog(arguments) => logs::copy_log(context, arguments),
        Command::CopySigs(arguments) => logs::copy_sigs(context, arguments),
        Command::Delete(arguments) => keeping::delete(context, arguments),
        Command::DiffClosures(arguments) => diff_closures::run(context, arguments),
        Command::DumpPath(arguments) => dump::run(context, arguments),
        Command::Export(arguments) => keeping::export(context, arguments),
        Command::Gc(arguments) => gc::run(context, arguments),
        Command::Import => keeping::import(context),
        Command::Info(arguments) => info::run(context, arguments),
        Command::Ls(arguments) => ls::run(context, arguments),
        Command::MakeContentAddressed(arguments) => content_address::run(context, arguments),
        Command::Optimise => keeping::optimise(context),
        Command::PathFromHashPart(arguments) => keeping::path_from_hash_part(context, arguments),
        Command::PrefetchFile(arguments) => prefetch::run(context, arguments),
        Command::Sign(arguments) => sign::run(context, arguments),
        Command::Verify(arguments) => checking::run(context, arguments),
    }
}
