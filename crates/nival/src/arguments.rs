//! What can be typed.

use crate::commands;
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
    Init(commands::init::Arguments),
    /// Start machines, and wait until their health checks succeed
    Up(commands::up::Arguments),
    /// Show what `switch` would do, and which line of the configuration causes it
    Plan(commands::plan::Arguments),
    /// Change running machines to their configuration; whatever fails puts everything back
    Switch(commands::switch::Arguments),
    /// Change a machine back to an earlier generation
    Rollback(commands::rollback::Arguments),
    /// List the generations of a machine
    Generations(commands::generations::Arguments),
    /// List machines, whether they run, and on which ports they are reached
    Status(commands::status::Arguments),
    /// Run a command, or a shell, in a machine, or with packages at hand
    Shell(commands::shell::Arguments),
    /// Run the program of a package, or an app of a flake
    Run(commands::run::Arguments),
    /// Start a shell in which a package can be worked on: with the variables and functions that its build has
    Develop(commands::develop::Arguments),
    /// Print what a line of direnv's .envrc evaluates: `eval "$(nival direnv)"`; it takes no time where nothing changed
    Direnv(commands::direnv::Arguments),
    /// Print the script, or with --json the variables, of such a shell
    PrintDevEnv(commands::develop::PrintArguments),
    /// Show the journal of a machine
    Logs(commands::logs::Arguments),
    /// Stop machines
    Down(commands::down::Arguments),
    /// Start a machine whenever this host starts
    Enable(commands::enable::EnableArguments),
    /// Undo `enable`
    Disable(commands::enable::DisableArguments),
    /// Choose package versions and write them to the lock
    Lock(commands::lock::Arguments),
    /// Choose newer versions, and show what changes
    Update(commands::update::Arguments),
    /// Make everything that machines consist of, without starting them
    Build(commands::build::Arguments),
    /// Evaluate an expression, a file, or an option of a machine
    Eval(commands::eval::Arguments),
    /// Ask one expression after the other; variables stay
    Repl(commands::repl::Arguments),
    #[command(args_override_self = true)]
    /// Translate expressions into derivations; called by the name nix-instantiate it takes that program's place
    Instantiate(commands::instantiate::Arguments),
    /// Show the log of a build
    Log(commands::log::Arguments),
    /// Copy paths between stores, with all that they refer to
    Copy(commands::copy::Arguments),
    /// Show what is known of store paths: sizes, signatures, references
    PathInfo(commands::path_info::Arguments),
    /// Install packages for this user, with a history that can be gone back to
    Profile(commands::profile::Arguments),
    /// Work with a store and single paths of it
    Store(commands::store::Arguments),
    /// Make keys that sign store paths
    Key(commands::key::Arguments),
    /// Hash files and trees, and write hashes in other spellings
    Hash(commands::hash::Arguments),
    /// Look into archives without unpacking them
    Nar(commands::nar::Arguments),
    /// Show, check and lock flakes, and begin new ones
    Flake(commands::flake::Arguments),
    /// Let names stand for flakes
    Registry(commands::registry::Arguments),
    /// Remove what no root leads to
    Gc(commands::store::gc::Arguments),
    /// Show which roots keep a path, or how another path comes to need it
    Why(commands::why::Arguments),
    /// Check that the store is whole and unchanged
    Verify(commands::store::Verify),
    /// Explain an error code
    Explain(commands::explain::Arguments),
    /// Run one service of a machine alone, without systemd, as an image of it would
    Container(commands::container::Arguments),
    /// Write an OCI image of one service, for programs that run containers
    Oci(commands::oci::Arguments),
    /// Find options of the modules that a configuration has: what they take, their values, and who set them
    Options(commands::options::Arguments),
    /// Show the manual of a service, or list the services
    Service(commands::service::Arguments),
    /// Print the completion script for a shell
    Completions(commands::completions::Arguments),
}
