//! What can be typed.

use crate::commands;
use crate::late::Late;
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// What can be typed.
#[derive(Parser)]
#[command(
    name = "nival",
    version,
    about = "A few lines of configuration become a running machine, and every change can be taken back",
    max_term_width = 100,
    propagate_version = true
)]
#[command(after_help = "Start with:  nival init web && nival up --detach web")]
pub struct Arguments {
    /// The folder that holds the store and the machines' data
    #[arg(long, global = true, value_name = "FOLDER", env = "NIVAL_DATA_DIR", hide_env_values = true)]
    pub data_dir: Option<PathBuf>,

    /// The store, by its address: a folder, local?root=FOLDER, file:///CACHE, https://CACHE
    #[arg(long, global = true, value_name = "STORE")]
    pub store: Option<String>,

    /// Whether messages are coloured; `auto` obeys NO_COLOR and looks for a terminal
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: When,

    /// Print results and errors as JSON
    #[arg(long, global = true)]
    pub json: bool,

    /// Print how long each phase took
    #[arg(long, global = true)]
    pub timings: bool,

    /// Print the whole way from an error's cause to what was asked for
    #[arg(long, global = true)]
    pub show_trace: bool,

    /// Take modules and services from this folder instead of the program's own, to work on them
    #[arg(long, global = true, value_name = "FOLDER", env = "NIVAL_LIBRARY", hide_env_values = true)]
    pub library: Option<PathBuf>,

    #[command(subcommand)]
    pub command: Command,
}

/// When something is done that depends on the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// At a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The options that every command takes.
pub struct Shared {
    pub data_dir: Option<PathBuf>,
    /// The store, as Nix names it, where one is named.
    pub store: Option<String>,
    pub timings: bool,
    pub show_trace: bool,
}

impl Arguments {
    /// The options that every command takes.
    pub fn shared(&self) -> Shared {
        Shared {
            data_dir: self.data_dir.clone(),
            store: self.store.clone(),
            timings: self.timings,
            show_trace: self.show_trace,
        }
    }
}

#[derive(Subcommand)]
pub enum Command {
    /// Write a commented configuration to start from
    Init(Late<commands::init::Arguments>),
    /// Start machines, and wait until their health checks succeed
    Up(Late<commands::up::Arguments>),
    /// Show what `switch` would do, and which line of the configuration causes it
    Plan(Late<commands::plan::Arguments>),
    /// Change running machines to their configuration; whatever fails puts everything back
    Switch(Late<commands::switch::Arguments>),
    /// Change a machine back to an earlier generation
    Rollback(Late<commands::rollback::Arguments>),
    /// List the generations of a machine
    Generations(Late<commands::generations::Arguments>),
    /// List machines, whether they run, and on which ports they are reached
    Status(Late<commands::status::Arguments>),
    /// Run a command, or a shell, in a machine, or with packages at hand
    Shell(Late<commands::shell::Arguments>),
    /// Run the program of a package, or an app of a flake
    Run(Late<commands::run::Arguments>),
    /// Start a shell in which a package can be worked on: with the variables and functions that its build has
    Develop(Late<commands::develop::Arguments>),
    /// Print what a line of direnv's .envrc evaluates: `eval "$(nival direnv)"`; it takes no time where nothing changed
    Direnv(Late<commands::direnv::Arguments>),
    /// Print the script, or with --json the variables, of such a shell
    PrintDevEnv(Late<commands::develop::PrintArguments>),
    /// Show the journal of a machine
    Logs(Late<commands::logs::Arguments>),
    /// Stop machines
    Down(Late<commands::down::Arguments>),
    /// Start a machine whenever this host starts
    Enable(Late<commands::enable::EnableArguments>),
    /// Undo `enable`
    Disable(Late<commands::enable::DisableArguments>),
    /// Choose package versions and write them to the lock
    Lock(Late<commands::lock::Arguments>),
    /// Choose newer versions, and show what changes
    Update(Late<commands::update::Arguments>),
    /// Make everything that machines consist of, without starting them
    Build(Late<commands::build::Arguments>),
    /// Evaluate an expression, a file, or an option of a machine
    Eval(Late<commands::eval::Arguments>),
    /// Ask one expression after the other; variables stay
    Repl(Late<commands::repl::Arguments>),
    #[command(args_override_self = true)]
    /// Translate expressions into derivations; called by the name nix-instantiate it takes that program's place
    Instantiate(Late<commands::instantiate::Arguments>),
    /// Show the log of a build
    Log(Late<commands::log::Arguments>),
    /// Copy paths between stores, with all that they refer to
    Copy(Late<commands::copy::Arguments>),
    /// Show what is known of store paths: sizes, signatures, references
    PathInfo(Late<commands::path_info::Arguments>),
    /// Install packages for this user, with a history that can be gone back to
    Profile(Late<commands::profile::Arguments>),
    /// Work with a store and single paths of it
    Store(Late<commands::store::Arguments>),
    /// Make keys that sign store paths
    Key(Late<commands::key::Arguments>),
    /// Hash files and trees, and write hashes in other spellings
    Hash(Late<commands::hash::Arguments>),
    /// Look into archives without unpacking them
    Nar(Late<commands::nar::Arguments>),
    /// Show, check and lock flakes, and begin new ones
    Flake(Late<commands::flake::Arguments>),
    /// Let names stand for flakes
    Registry(Late<commands::registry::Arguments>),
    /// Remove what no root leads to
    Gc(Late<commands::store::gc::Arguments>),
    /// Show which roots keep a path, or how another path comes to need it
    Why(Late<commands::why::Arguments>),
    /// Check that the store is whole and unchanged
    Verify(Late<commands::store::Verify>),
    /// Explain an error code
    Explain(Late<commands::explain::Arguments>),
    /// Run one service of a machine alone, without systemd, as an image of it would
    Container(Late<commands::container::Arguments>),
    /// Write an OCI image of one service, for programs that run containers
    Oci(Late<commands::oci::Arguments>),
    /// Find options of the modules that a configuration has: what they take, their values, and who set them
    Options(Late<commands::options::Arguments>),
    /// Show the manual of a service, or list the services
    Service(Late<commands::service::Arguments>),
    /// Print the completion script for a shell
    Completions(Late<commands::completions::Arguments>),
}
