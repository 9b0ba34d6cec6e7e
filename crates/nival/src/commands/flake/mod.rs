//! `nival flake`: what can be done with a flake as a whole

mod check;
mod locking;
mod metadata;
mod prefetch;
mod show;
mod template;

use crate::context::{Context, current_folder};
use crate::error::Error;
use clap::{Args, Subcommand};
use nival_engine::{FlakeReference, LockFlags, LockedFlake, Session};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What can be typed behind `nival flake`.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Evaluate all outputs of a flake, and build its checks
    Check(check::Arguments),
    /// Copy a template into the current folder
    Init(template::Init),
    /// Pin inputs that are not pinned yet
    Lock(locking::Lock),
    /// Show where a flake is, and what its inputs are
    #[command(alias = "info")]
    Metadata(metadata::Arguments),
    /// Copy a template into a new folder
    New(template::New),
    /// Fetch a flake, or any tree, into the store
    Prefetch(prefetch::Arguments),
    /// Show what a flake offers
    Show(show::Arguments),
    /// Pin newer versions of inputs
    Update(locking::Update),
}

/// Runs one of them.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    match &arguments.command {
        Command::Check(arguments) => check::run(context, arguments),
        Command::Init(arguments) => template::init(context, arguments),
        Command::Lock(arguments) => locking::lock(context, arguments),
        Command::Metadata(arguments) => metadata::run(context, arguments),
        Command::New(arguments) => template::new(context, arguments),
        Command::Prefetch(arguments) => prefetch::run(context, arguments),
        Command::Show(arguments) => show::run(context, arguments),
        Command::Update(arguments) => locking::update(context, arguments),
    }
}

/// How the lock of a flake is treated.
#[derive(Args, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are Nix's switches")]
pub struct LockArguments {
    /// Write no lock file
    #[arg(long)]
    no_write_lock_file: bool,
    /// Take the inputs of a flake from the lock file as they are
    #[arg(long)]
    no_update_lock_file: bool,
    /// Pin all inputs anew
    #[arg(long)]
    recreate_lock_file: bool,
    /// Commit the lock file where it changed
    #[arg(long)]
    commit_lock_file: bool,
    /// Ask no registry
    #[arg(long)]
    no_registries: bool,
    /// Take another flake for an input
    #[arg(long, num_args = 2, value_names = ["INPUT", "FLAKE"], action = clap::ArgAction::Append)]
    override_input: Vec<String>,
    /// Pin this input anew; may be given several times
    #[arg(long, value_name = "INPUT")]
    update_input: Vec<String>,
    /// Read this lock file instead of the flake's own
    #[arg(long, value_name = "FILE")]
    reference_lock_file: Option<PathBuf>,
    /// Write the lock file here instead
    #[arg(long, value_name = "FILE")]
    output_lock_file: Option<PathBuf>,
}

impl LockArguments {
    /// The flags that these options give.
    pub fn flags(&self, session: &Session) -> Result<LockFlags, nival_engine::Error> {
        let mut flags = LockFlags {
            recreate: self.recreate_lock_file,
            commit: self.commit_lock_file,
            registries: !self.no_registries,
            write: !self.no_write_lock_file,
            update: !self.no_update_lock_file,
            reference_file: self.reference_lock_file.clone(),
            output_file: self.output_lock_file.clone(),
            ..LockFlags::default()
        };
        let way = |text: &String| nival_inputs::flakes::parse_input_path(text);
        for pair in self.override_input.chunks_exact(2) {
            let (reference, _) = session.parse_flake(&pair[1], Path::new(&current_folder()))?;
            flags.overrides.insert(way(&pair[0])?, reference);
        }
        for input in &self.update_input {
            flags.updates.insert(way(input)?);
        }
        Ok(flags)
    }
}

/// A flake by what was typed: that of the current folder where nothing was.
fn reference(session: &Session, text: Option<&str>) -> Result<(FlakeReference, String), nival_engine::Error> {
    session.parse_flake(text.unwrap_or("."), Path::new(&current_folder()))
}

/// The flake of a command, as it was typed.
fn typed(text: Option<&str>) -> [String; 1] {
    [text.unwrap_or(".").to_owned()]
}

/// Pins a flake's inputs, and tells what was written.
fn locked(
    context: &Context,
    session: &mut Session,
    reference: &FlakeReference,
    flags: &LockFlags,
) -> Result<LockedFlake, nival_engine::Error> {
    let locked = session.lock_flake(reference, flags)?;
    if let Some(file) = &locked.written {
        context.output.say(&format!("wrote {}:\n{}", file.display(), locked.changes.trim_end()));
    }
    Ok(locked)
}

/// Does something with a session, and turns its error into one that marks sources.
fn with_session<T>(
    context: &mut Context,
    session: &mut Session,
    work: impl FnOnce(&mut Context, &mut Session) -> Result<T, nival_engine::Error>,
) -> Result<T, Error> {
    let done = context.evaluating(session, work);
    context.show_messages(session);
    done.map_err(|error| context.failed(session, &error))
}
