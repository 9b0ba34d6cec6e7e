//! What is done with derivations: they are built, their logs are shown, and Nix's programs are started with them.

use super::Repl;
use crate::building;
use crate::commands::log::print_log;
use crate::context::current_folder;
use crate::error::Error;
use nival_build::{Request, Wanted};
use nival_store_model::StorePath;
use nival_sys::process;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

impl Repl<'_> {
    /// The derivation that an expression gives.
    fn derivation(&self, text: &str) -> Result<StorePath, Error> {
        let value = self.evaluate(text)?;
        self.with(|session, _| match session.installed_outputs(value)? {
            Some((drv, _)) => session.store_path(&drv),
            None => Err(session.no_derivation(value)),
        })
    }

    /// Builds all outputs of a derivation, and tells where they are.
    pub(super) fn build(&mut self, text: &str, link: bool) -> Result<(), Error> {
        let drv = self.derivation(text)?;
        let requests = vec![Request::Outputs(drv, Wanted::All)];
        let state = self.state.borrow();
        let builds = state.session.builds();
        let building = self.options.building;
        let (answers, code) = building::build(self.context, builds, &self.progress, &requests, building)?;
        if code != ExitCode::SUCCESS {
            return Ok(());
        }
        let store = self.context.store()?;
        println!("\nThis derivation produced the following outputs:");
        for (_, outputs) in building::made(requests, answers) {
            for (name, path) in outputs {
                let shown = store.dir().print(&path);
                if link {
                    let file = format!("repl-result-{name}");
                    building::link(&store, &Path::new(&current_folder()).join(&file), &path)?;
                    println!("  ./{file} -> {shown}");
                } else {
                    println!("  {name} -> {shown}");
                }
            }
        }
        Ok(())
    }

    /// Prints the log of a derivation's build.
    pub(super) fn log(&mut self, text: &str) -> Result<(), Error> {
        let drv = self.derivation(text)?;
        let settings = self.options.evaluation.settings();
        let settings = settings.map_err(|error| Error::plain(error.diagnostic()))?;
        print_log(self.context, &Request::Outputs(drv, Wanted::All), &settings)
    }

    /// Runs one of Nix's programs, which this one takes the place of, with a derivation.
    pub(super) fn run_with_derivation(
        &mut self,
        program: &str,
        words: &[&str],
        text: &str,
    ) -> Result<(), Error> {
        let drv = self.derivation(text)?;
        self.context.finish()?;
        let store = self.context.store()?;
        let own = std::env::current_exe().map_err(|error| cannot_run(program, &error))?;
        let mut command = Command::new(own);
        command.arg0(program).args(words).arg(store.dir().print(&drv));
        if let Some(address) = self.context.named_store() {
            command.args(["--store", address]);
        }
        if let Some(data) = self.context.named_data() {
            command.arg("--data-dir").arg(data);
        }
        run(&mut command, program)
    }
}

/// Runs a program that has the terminal to itself.
pub(super) fn run(command: &mut Command, name: &str) -> Result<(), Error> {
    let mut child = process::spawn(command).map_err(|error| cannot_run(name, &error))?;
    child.wait().map(drop).map_err(|error| cannot_run(name, &error))
}

fn cannot_run(program: &str, error: &std::io::Error) -> Error {
    let message = format!("cannot run `{program}`: {error}");
    Error::plain(
        nival_diagnostics::Diagnostic::error(&crate::diagnostics::cannot_run::ENTRY, message)
            .help("check that it is installed and on the PATH"),
    )
}
