//! Running `git` on one repository.

use crate::fetchers::error::Error;
pub(super) use crate::fetchers::fetch::program::output;
use crate::fetchers::fetch::program::{finish, start};
use nival_sys::process;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One repository.
#[derive(Clone, Debug)]
pub(super) struct Git {
    folder: PathBuf,
    bare: bool,
}

impl Git {
    /// A repository with a working tree.
    pub(super) fn worktree(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), bare: false }
    }

    /// A repository without one.
    pub(super) fn bare(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), bare: true }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn command(&self) -> Command {
        let mut command = plain();
        command.arg("-C").arg(&self.folder);
        if self.bare {
            command.args(["--git-dir", "."]);
        }
        // Reading must not depend on how the user likes line ends or names; the repository's own rules stay.
        command.args(["-c", "core.quotePath=false", "-c", "safe.directory=*"]);
        command
    }

    /// What git prints.
    pub(super) fn bytes(&self, arguments: &[&str], doing: &str) -> Result<Vec<u8>, Error> {
        output(self.command().args(arguments), &format!("{doing} in `{}`", self.folder.display()))
    }

    /// What git prints, as text.
    pub(super) fn text(&self, arguments: &[&str], doing: &str) -> Result<String, Error> {
        Ok(String::from_utf8_lossy(&self.bytes(arguments, doing)?).into_owned())
    }

    /// What git prints, or nothing where it fails.
    pub(super) fn maybe(&self, arguments: &[&str]) -> Option<String> {
        self.text(arguments, "ask git").ok().map(|text| text.trim_end().to_owned())
    }

    /// What git says on both of its outputs; where it fails, that is the error.
    pub(super) fn said(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = self.command();
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = process::spawn(&mut command).map_err(|error| error.to_string())?;
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        if output.status.success() { Ok(said) } else { Err(said) }
    }

    /// What git prints for a long input.
    pub(super) fn with_input(
        &self,
        arguments: &[&str],
        input: Vec<u8>,
        doing: &str,
    ) -> Result<Vec<u8>, Error> {
        let doing = format!("{doing} in `{}`", self.folder.display());
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped());
        let mut child = start(&mut command, &doing)?;
        let stdin = child.stdin.take();
        // Git answers while it reads: a thread writes, so that neither waits for the other.
        let writer = std::thread::spawn(move || stdin.map_or(Ok(()), |mut stdin| stdin.write_all(&input)));
        let result = finish(child, &doing);
        let _ = writer.join();
        result
    }
}

/// `git` without a repository.
pub(super) fn plain() -> Command {
    let mut command = Command::new("git");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"] {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C").stdin(Stdio::null());
    command
}

/// An argument that is a path.
pub(super) fn text_of(path: &Path) -> String {
    let text: &OsStr = path.as_os_str();
    text.to_string_lossy().into_owned()
}
