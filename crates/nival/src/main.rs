//! The command: arguments, output, progress.
//!
//! `main` only hands over: to the parts of the program that run inside machines
//! (`nival internal`), or to one of [`commands`]. This is the only crate that prints,
//! reads the user's environment and decides exit codes.

mod addresses;
mod arguments;
mod build_environment;
mod build_progress;
mod building;
mod catalogue;
mod collecting;
mod commands;
mod context;
mod debugging;
mod diagnostics;
mod dropin;
mod environment;
mod error;
mod flake_config;
mod flame;
mod free_space;
mod inside;
mod late;
mod memory;
mod output;
mod patterns;
mod profile;
mod progress;
mod reference;
mod relevant;
mod repl;
mod retention;
mod serving;
mod stores;

use clap::Parser as _;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let reference = (words.get(1).is_some_and(|word| word == "internal"), words.get(2), words.get(3));
    if let (true, Some(word), Some(folder)) = reference
        && word == "reference"
    {
        return reference::main(std::path::Path::new(folder));
    }
    // Processes inside of machines and of builds: before any thread is started.
    if words.get(1).is_some_and(|word| word == "internal")
        && words.get(2).is_some_and(|word| word == "sandbox")
    {
        return nival_build::sandbox::main(words.get(3..).unwrap_or_default());
    }
    if let Some(code) = nival_os::internal_main(&words[1..]) {
        return code;
    }
    let called = words.first().map(std::path::Path::new).and_then(std::path::Path::file_name);
    if let Some(program) = called.and_then(dropin::program) {
        return ended(dropin::start(program, words.clone()));
    }
    let arguments = arguments::Arguments::parse();
    let output = output::Output::new(arguments.color, arguments.json);
    if let Some(folder) = &arguments.library
        && let Err(error) = nival_engine::use_library(folder)
    {
        let error = nival_engine::Error::Io(folder.clone(), error);
        let error = error::Error::plain(error.diagnostic());
        output.error(&error);
        return error.exit_code();
    }
    let result = context::Context::new(&arguments.shared(), &output).and_then(|mut context| {
        let code = commands::run(&mut context, arguments.command)?;
        context.finish().map(|()| code)
    });
    ended(result.unwrap_or_else(|error| {
        output.error(&error);
        error.exit_code()
    }))
}

/// Ends the program at once where all went well; what is left is memory only.
fn ended(code: ExitCode) -> ExitCode {
    if code == ExitCode::SUCCESS {
        nival_sys::process::end_well();
    }
    code
}
