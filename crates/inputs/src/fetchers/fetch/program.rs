//! Running the programs that fetch for us.

use crate::fetchers::error::Error;
use nival_sys::process;
use std::process::{Child, Command, Stdio};

/// Starts a command whose outputs are read.
pub(super) fn start(command: &mut Command, doing: &str) -> Result<Child, Error> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    process::spawn(command).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::MissingProgram {
            doing: doing.to_owned(),
            program: command.get_program().to_string_lossy().into_owned(),
        },
        _ => Error::Program { doing: doing.to_owned(), said: error.to_string() },
    })
}

/// What a command that was started prints.
pub(super) fn finish(child: Child, doing: &str) -> Result<Vec<u8>, Error> {
    let failed = |said: String| Error::Program { doing: doing.to_owned(), said };
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// What a command prints.
pub(crate) fn output(command: &mut Command, doing: &str) -> Result<Vec<u8>, Error> {
    finish(start(command, doing)?, doing)
}
