//! Running commands.

use std::fmt;
use std::process::Command;

/// Why a task failed.
pub enum Failure {
    /// A command ended with another code than 0, or could not be started.
    Command(String),
    /// Something else, in words.
    Said(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(line) => write!(f, "this failed: {line}"),
            Self::Said(text) => f.write_str(text),
        }
    }
}

/// A call of cargo in this workspace.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// Runs a command and waits for it.
pub fn run(mut command: Command) -> Result<(), Failure> {
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    let line = words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    eprintln!("$ {line}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::Command(format!("{line} ({status})"))),
        Err(error) => Err(Failure::Command(format!("{line} ({error})"))),
    }
}
