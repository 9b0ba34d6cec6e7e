//! Running a builder that nobody trusts.
//!
//! Each builder is started by a process of its own, the *warden* (`nival internal sandbox`):
//! it has one thread and little memory, so that it can fork into namespaces, and it is the
//! builder's parent, so that nothing of a build outlives it. It is told the file of a [`Cell`]
//! and answers with lines on what is its input's place.

mod cell;
pub mod debugging;
mod filter;
mod inside;
mod warden;

pub use cell::{Bind, BindKind, Cell, Debugging, File, OutsideUser};
pub use warden::main;

use crate::build_error::BuildError;
use nival_sys::{fs, process};
use std::fs::File as OpenFile;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// How what a warden says begins where the builder itself is what could not be started.
pub(crate) const STARTING: &str = "start the builder";

/// A builder that runs.
pub struct Running {
    warden: Child,
    answers: BufReader<OpenFile>,
}

/// What a warden says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The builder was started.
    Started,
    /// The place for the builder could not be made.
    Failed(String),
    /// The builder ended.
    Ended(process::Ended),
    /// The warden is gone: it was killed.
    Gone,
}

impl Running {
    /// Starts a warden by a program (this one, usually), which starts the builder. All that the builder says goes to `terminal`.
    ///
    /// # Errors
    /// [`BuildError::Sandbox`] where no process can be started.
    pub fn start(
        program: &Path,
        cell: &Cell,
        terminal: impl AsFd,
        scratch: &Path,
    ) -> Result<Self, BuildError> {
        let failed = |error| BuildError::sandbox("start the process that holds the builder", error);
        let text = serde_json::to_vec(cell).map_err(|error| failed(error.into()))?;
        let file = scratch.join("cell");
        let mut written = fs::create_new(&file, 0o600).map_err(failed)?;
        written.write_all(&text).map_err(failed)?;
        let (mine, theirs) = std::io::pipe().map_err(failed)?;
        let output = terminal.as_fd().try_clone_to_owned().map_err(failed)?;
        let errors = output.try_clone().map_err(failed)?;
        let mut command = Command::new(program);
        // Nothing runs between fork and exec, so that the standard library needs no copy of this process.
        command.args(["internal", "sandbox"]).arg(&file).arg(std::process::id().to_string());
        command.stdin(theirs).stdout(output).stderr(Stdio::from(errors));
        let warden = process::spawn(&mut command).map_err(failed)?;
        drop(command);
        Ok(Self { warden, answers: BufReader::new(OpenFile::from(OwnedFd::from(mine))) })
    }

    /// Waits for the next answer.
    pub fn answer(&mut self) -> Answer {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(0) | Err(_) => return Answer::Gone,
            Ok(_) => {}
        }
        let (word, rest) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
        match (word, rest.parse::<i32>()) {
            ("started", _) => Answer::Started,
            ("code", Ok(code)) => Answer::Ended(process::Ended::Code(code)),
            ("signal", Ok(signal)) => Answer::Ended(process::Ended::Signal(signal)),
            _ => Answer::Failed(rest.to_owned()),
        }
    }

    /// The last answer about a builder that let go of its terminal; one that goes on in silence is ended.
    pub fn last_answer(&mut self) -> Answer {
        let is_said =
            |answers: &OpenFile| process::wait_readable(&[answers], 2000).is_ok_and(|ready| ready[0]);
        while !self.answers.buffer().is_empty() || is_said(self.answers.get_ref()) {
            match self.answer() {
                Answer::Started => {}
                last => return last,
            }
        }
        self.kill();
        Answer::Gone
    }

    /// The descriptor that answers come on.
    pub fn descriptor(&self) -> impl AsFd {
        self.answers.get_ref()
    }

    /// Ends the builder and everything that it started, at once.
    pub fn kill(&mut self) {
        // A warden that is gone already has taken its builder along.
        let _ = self.warden.kill();
    }

    /// Waits until the warden is gone, and with it every process of the build.
    pub fn wait(&mut self) {
        let _ = self.warden.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        self.wait();
    }
}
