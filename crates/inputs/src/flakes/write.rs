//! Writing a lock file into the folder of a flake.

use super::reference::FlakeReference;
use crate::fetchers::{Error, Scheme, hg, output};
use nival_sys::{fs, process};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn git(folder: &Path, arguments: &[&str], doing: &str) -> Result<bool, Error> {
    let failed = |said: String| Error::Program { doing: format!("{doing} in `{}`", folder.display()), said };
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = process::spawn(&mut command).map_err(|error| failed(error.to_string()))?;
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    match output.status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(failed(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}

/// Makes the lock file known to Mercurial, and commits it where a message is given.
fn keep_in_mercurial(root: &Path, inner: &str, message: Option<&str>) -> Result<(), Error> {
    let run = |arguments: &[&str], doing: &str| {
        let doing = format!("{doing} in `{}`", root.display());
        output(hg().arg("--cwd").arg(root).args(arguments), &doing).map(drop)
    };
    run(&["add", "--", inner], "add the lock file")?;
    match message {
        Some(message) => run(&["commit", "-m", message, "--", inner], "commit the lock file"),
        None => Ok(()),
    }
}

/// Writes the file; in a repository it is made known to git or Mercurial, and committed where a message is given.
pub(super) fn write(flake: &FlakeReference, text: &str, message: Option<&str>) -> Result<PathBuf, Error> {
    let shown = flake.to_string();
    let refused = || Error::Lock {
        path: shown.clone(),
        why: "the flake is not in a folder that can be written".to_owned(),
    };
    let root = PathBuf::from(flake.input.source_path().ok_or_else(refused)?);
    let inner = Path::new(&flake.folder).join("flake.lock");
    let file = root.join(&inner);
    fs::write_atomic(&file, text.as_bytes(), 0o644).map_err(|error| Error::Io(file.clone(), error))?;
    let inner = inner.to_string_lossy();
    if flake.input.scheme == Some(Scheme::Mercurial) {
        keep_in_mercurial(&root, &inner, message)?;
    }
    if flake.input.scheme != Some(Scheme::Git) {
        return Ok(file);
    }
    if !git(&root, &["check-ignore", "--quiet", &inner], "ask what is ignored")? {
        git(&root, &["add", "--intent-to-add", "--", &inner], "add the lock file")?;
        if let Some(message) = message {
            git(&root, &["commit", "--quiet", "-m", message, "--", &inner], "commit the lock file")?;
        }
    }
    Ok(file)
}
