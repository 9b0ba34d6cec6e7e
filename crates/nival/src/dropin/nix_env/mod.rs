//! `nix-env`

mod elements;
mod generations;
mod install;
mod names;
mod query;

use super::Common;
use crate::build_progress::BuildProgress;
use crate::building::{self, Building};
use crate::commands::evaluation::Evaluation;
use crate::context::{Context, absolute};
use crate::environment::default_profile;
use crate::error::Error;
use clap::Parser;
use nival_engine::{Caches, Session};
use nival_store::Profile;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Install packages for this user, with a history that can be gone back to
#[derive(Parser)]
#[command(name = "nix-env", version = crate::dropin::VERSION, args_override_self = true)]
#[expect(clippy::struct_excessive_bools, reason = "they are the switches of nix-env")]
struct DropIn {
    /// Names of packages, attributes, expressions or paths
    words: Vec<String>,
    #[command(flatten)]
    operation: Operation,
    /// The expression that packages are taken from
    #[arg(short, long, value_name = "PATH")]
    file: Option<String>,
    /// The words are attributes
    #[arg(short = 'A', long)]
    attr: bool,
    /// The words are functions that take the expression and give packages
    #[arg(short = 'E', long)]
    from_expression: bool,
    /// Take packages of another profile
    #[arg(long, value_name = "PROFILE")]
    from_profile: Option<PathBuf>,
    /// The profile that is worked on
    #[arg(short, long, value_name = "PROFILE")]
    profile: Option<PathBuf>,
    /// With `--install`, keep packages of the same name; with `--query`, show attributes
    #[arg(short = 'P', long = "attr-path", alias = "preserve-installed")]
    attr_path: bool,
    /// With `--install`, remove all other packages
    #[arg(short, long)]
    remove_all: bool,
    /// With `--install`, which of two packages that bring the same file wins: the lower number
    #[arg(long, allow_negative_numbers = true)]
    priority: Option<i64>,
    /// Leave out what would have to be built
    #[arg(short = 'b', long)]
    prebuilt_only: bool,
    /// Only packages for this system; `*` for all
    #[arg(long, value_name = "SYSTEM")]
    system_filter: Option<String>,
    #[command(flatten)]
    upgrade: Upgrade,
    #[command(flatten)]
    query: query::Wishes,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    building: Building,
    #[command(flatten)]
    common: Common,
}

/// What is done.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
#[expect(clippy::struct_excessive_bools, reason = "they are the operations of nix-env")]
struct Operation {
    /// Install packages
    #[arg(short, long)]
    install: bool,
    /// Replace packages by newer ones
    #[arg(short, long = "upgrade")]
    upgrade_packages: bool,
    /// Remove packages
    #[arg(short = 'e', long)]
    uninstall: bool,
    /// Let the profile hold one package and nothing else
    #[arg(long)]
    set: bool,
    /// Change a flag of packages: a name, a value, then the packages
    #[arg(long)]
    set_flag: bool,
    /// List packages
    #[arg(short = 'q', long = "query")]
    query_packages: bool,
    /// Let the user's own link lead to another profile
    #[arg(short = 'S', long)]
    switch_profile: bool,
    /// Go to the generation of this number
    #[arg(short = 'G', long, value_name = "NUMBER")]
    switch_generation: Option<u64>,
    /// Go to the generation before the current one
    #[arg(long)]
    rollback: bool,
    /// List the generations
    #[arg(long)]
    list_generations: bool,
    /// Remove generations: numbers, `old`, `+COUNT` or `DAYSd`
    #[arg(long)]
    delete_generations: bool,
}

/// Which newer packages are taken.
#[derive(clap::Args)]
#[group(multiple = false)]
#[expect(clippy::struct_excessive_bools, reason = "they are the switches of nix-env")]
struct Upgrade {
    /// Newer versions; the usual
    #[arg(long)]
    lt: bool,
    /// Newer versions, or the same one built differently
    #[arg(long)]
    leq: bool,
    /// The same version built differently
    #[arg(long)]
    eq: bool,
    /// Whatever version there is
    #[arg(long)]
    always: bool,
}

/// One call: what was typed, and what it works with.
struct Call<'a> {
    context: &'a mut Context,
    arguments: &'a DropIn,
    session: Session,
    progress: Arc<BuildProgress>,
    profile: Profile,
    /// The caches of the settings, opened when something is asked of them.
    caches: Option<Caches>,
}

/// Does what `nix-env` does.
pub fn main(words: Vec<OsString>) -> ExitCode {
    // What other programs take as a setting with a value asks here for a column.
    let column = |word: OsString| if word == "--system" { "--system-of".into() } else { word };
    let arguments = DropIn::parse_from(words.into_iter().map(column));
    super::run(&arguments.common, |context| work(context, &arguments))
}

fn work(context: &mut Context, arguments: &DropIn) -> Result<ExitCode, Error> {
    let profile = match &arguments.profile {
        Some(link) => Profile::new(&absolute(link.clone())),
        None => match std::env::var_os("NIX_PROFILE").filter(|link| !link.is_empty()) {
            Some(link) => Profile::new(&absolute(link.into())),
            None => default_profile(context)?,
        },
    };
    let operation = &arguments.operation;
    if let Some(number) = operation.switch_generation {
        return generations::switch(context, &profile, Some(number), &arguments.building);
    }
    if operation.rollback {
        return generations::switch(context, &profile, None, &arguments.building);
    }
    if operation.list_generations {
        return generations::list(context, &profile);
    }
    if operation.delete_generations {
        return generations::delete(context, &profile, &arguments.words, &arguments.building);
    }
    if operation.switch_profile {
        return generations::switch_profile(&arguments.words);
    }
    let (session, progress) = building::session(context, &arguments.evaluation, &arguments.building, &[])?;
    let mut call = Call { context, arguments, session, progress, profile, caches: None };
    let result = if operation.install {
        install::install(&mut call)
    } else if operation.upgrade_packages {
        install::upgrade(&mut call)
    } else if operation.uninstall {
        install::uninstall(&mut call)
    } else if operation.set {
        install::set(&mut call)
    } else if operation.set_flag {
        install::set_flag(&mut call)
    } else {
        query::query(&mut call)
    };
    call.context.show_messages(&call.session);
    result
}

/// What cannot be done.
fn refused(text: impl Into<String>) -> Error {
    let help = "`nix-env --query --available` lists what can be installed";
    let entry = &crate::diagnostics::profile_refused::ENTRY;
    Error::plain(nival_diagnostics::Diagnostic::error(entry, text.into()).help(help))
}
