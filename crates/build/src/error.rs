//! What can be wrong with a package, or with the place that it is unpacked to.

use crate::diagnostics as codes;
use nival_diagnostics::Diagnostic;
use std::io;
use std::path::{Path, PathBuf};

/// Why a package could not be unpacked.
#[derive(Debug)]
pub enum Error {
    /// The package is not fit.
    Package {
        /// The file.
        deb: PathBuf,
        /// What is wrong with it.
        problem: Problem,
    },
    /// The disk did not do what was asked.
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// It was ended from outside.
    Cancelled,
}

/// What is wrong with a package.
#[derive(Debug)]
pub enum Problem {
    /// It is no Debian package, or not of a form that is known.
    Format(String),
    /// It ends early or was damaged.
    Damaged(String),
    /// An entry would reach out of the tree, or is what a tree must not hold.
    Unsafe {
        /// The path in the archive.
        path: String,
        /// Why it is refused.
        reason: String,
    },
    /// It unpacks to more than it may.
    TooLarge {
        /// The limit that it passed.
        limit: u64,
        /// What the limit counts, such as `bytes`.
        unit: &'static str,
    },
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Problem::Format(reason) => write!(f, "it is no Debian package: {reason}"),
            Problem::Damaged(reason) => write!(f, "it is damaged: {reason}"),
            Problem::Unsafe { path, reason } => write!(f, "the entry `{path}` {reason}"),
            Problem::TooLarge { limit, unit } => write!(f, "it unpacks to more than {limit} {unit}"),
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Package { deb, problem } => write!(f, "cannot unpack `{}`: {problem}", deb.display()),
            Error::Disk { path, error } => {
                let (path, text) = (path.display().to_string(), error.to_string());
                let text = text.strip_prefix(&format!("{path}: ")).unwrap_or(&text);
                write!(f, "cannot use `{path}`: {text}")
            }
            Error::Cancelled => f.write_str("cancelled"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Disk { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl Error {
    pub(crate) fn disk(path: &Path, error: io::Error) -> Self {
        Error::Disk { path: path.to_owned(), error }
    }

    /// What to show a user.
    pub fn diagnostic(&self) -> Diagnostic {
        let message = self.to_string();
        match self {
            Error::Package { problem: Problem::Format(_), .. } => Diagnostic::error(&codes::NV0520, message)
                .help("the repository names a file that is no package: tell who runs it"),
            Error::Package { problem: Problem::Damaged(_), .. } => Diagnostic::error(&codes::NV0521, message)
                .help("delete the file and run the command again: it is fetched anew"),
            Error::Package { problem: Problem::Unsafe { .. }, .. } => {
                Diagnostic::error(&codes::NV0522, message)
                    .help("do not use this package: nothing of it was kept")
            }
            Error::Package { problem: Problem::TooLarge { .. }, .. } => {
                Diagnostic::error(&codes::NV0523, message)
                    .help("do not use this package: nothing of it was kept")
            }
            Error::Disk { .. } => Diagnostic::error(&codes::NV0524, message)
                .help("make room, or mend owner and mode of the folder, and run the command again"),
            Error::Cancelled => Diagnostic::error(&codes::NV0525, message).help("run the command again"),
        }
    }
}
