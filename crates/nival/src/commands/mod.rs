//! One file per command.

pub mod alone;
pub mod build;
pub mod completions;
pub mod container;
pub mod copy;
pub mod develop;
pub mod direnv;
pub mod down;
pub mod enable;
pub mod eval;
pub mod evaluation;
pub mod explain;
pub mod flake;
pub mod generations;
pub mod hash;
pub mod init;
pub mod installables;
pub mod instantiate;
pub mod key;
pub mod lock;
pub mod log;
pub mod logs;
pub mod named;
pub mod nar;
pub mod oci;
pub mod options;
pub mod path_info;
pub mod plan;
pub mod profile;
pub mod realise;
pub mod registry;
pub mod repl;
pub mod rollback;
pub mod run;
pub mod secrets;
pub mod service;
pub mod shell;
pub mod status;
pub mod store;
pub mod subjects;
pub mod switch;
pub mod target;
pub mod up;
pub mod update;
pub mod wanted;
pub mod why;

use crate::arguments::Command;
use crate::context::Context;
use crate::error::Error;
use std::process::ExitCode;

/// Runs a command.
pub fn run(context: &mut Context, command: Command) -> Result<ExitCode, Error> {
    let result = match command {
        Command::Init(arguments) => init::run(context, &arguments),
        Command::Up(arguments) => up::run(context, &arguments),
        Command::Plan(arguments) => plan::run(context, &arguments),
        Command::Switch(arguments) => switch::run(context, &arguments),
        Command::Rollback(arguments) => rollback::run(context, &arguments),
        Command::Generations(arguments) => generations::run(context, &arguments),
        Command::Status(arguments) => status::run(context, &arguments),
        Command::Shell(arguments) => shell::run(context, &arguments),
        Command::Run(arguments) => run::run(context, &arguments),
        Command::Develop(arguments) => develop::run(context, &arguments),
        Command::Direnv(arguments) => direnv::run(context, &arguments),
        Command::PrintDevEnv(arguments) => develop::print(context, &arguments),
        Command::Container(arguments) => container::run(context, &arguments),
        Command::Oci(arguments) => oci::run(context, &arguments),
        Command::Options(arguments) => options::run(context, &arguments),
        Command::Service(arguments) => service::run(context, &arguments),
        Command::Logs(arguments) => logs::run(context, &arguments),
        Command::Down(arguments) => down::run(context, &arguments),
        Command::Enable(arguments) => enable::enable(context, &arguments),
        Command::Disable(arguments) => enable::disable(context, &arguments),
        Command::Lock(arguments) => lock::run(context, &arguments),
        Command::Update(arguments) => update::run(context, &arguments),
        Command::Build(arguments) => build::run(context, &arguments),
        Command::Eval(arguments) => eval::run(context, &arguments),
        Command::Repl(arguments) => repl::run(context, &arguments),
        Command::Instantiate(arguments) => instantiate::run(context, &arguments),
        Command::Log(arguments) => log::run(context, &arguments),
        Command::Copy(arguments) => copy::run(context, &arguments),
        Command::PathInfo(arguments) => path_info::run(context, &arguments),
        Command::Profile(arguments) => profile::run(context, &arguments),
        Command::Store(arguments) => store::run(context, &arguments),
        Command::Key(arguments) => key::run(context, &arguments),
        Command::Hash(arguments) => hash::run(context, &arguments),
        Command::Nar(arguments) => nar::run(context, &arguments),
        Command::Flake(arguments) => flake::run(context, &arguments),
        Command::Registry(arguments) => registry::run(context, &arguments),
        Command::Gc(arguments) => store::gc::run(context, &arguments),
        Command::Why(arguments) => why::run(context, &arguments),
        Command::Verify(arguments) => store::verify(context, &arguments),
        Command::Explain(arguments) => explain::run(context, &arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    };
    context.show_timings();
    result
}
