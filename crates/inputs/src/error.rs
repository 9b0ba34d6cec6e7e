//! What can go wrong between a request and a lock, and between a lock and its files.

use crate::diagnostics::{self as codes};
use nival_debian::{Conflict, RequestError};
use nival_diagnostics::Diagnostic;
use std::io;
use std::path::{Path, PathBuf};

/// Why something from outside could not be had, or not be believed.
#[derive(Debug)]
pub enum Error {
    /// A request names what no repository has.
    Request {
        /// The release that was asked.
        release: String,
        /// What was wrong.
        error: RequestError,
    },
    /// Requests do not go together.
    Conflict {
        /// The root whose requests they are.
        root: String,
        /// What does not go together.
        conflict: Conflict,
    },
    /// The signature of an index does not hold.
    Signature {
        /// The repository.
        repository: String,
        /// Where the index came from.
        address: String,
        /// What is wrong.
        problem: SignatureProblem,
    },
    /// An index is no longer valid, or not yet.
    OutOfDate {
        /// The repository.
        repository: String,
        /// Where the index came from.
        address: String,
        /// The end of its time, or the beginning, in seconds since 1970.
        limit: i64,
        /// The present, in seconds since 1970.
        now: i64,
    },
    /// An index is of another suite than the one that was asked for.
    WrongSuite {
        /// The repository.
        repository: String,
        /// The suite that was asked for.
        wanted: String,
        /// What the index says it is.
        got: String,
    },
    /// An index cannot be read.
    Index {
        /// The repository.
        repository: String,
        /// What is wrong.
        reason: String,
    },
    /// No mirror is known.
    NoMirror,
    /// A release that Nival has no keys for.
    UnknownRelease(String),
    /// A lock cannot be read.
    Lock {
        /// The file.
        path: PathBuf,
        /// The line, from 1; 0 for the whole file.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A locked package is gone from every mirror.
    Gone {
        /// The package.
        package: String,
        /// The locked version.
        version: String,
        /// Where it was looked for.
        source: nival_transport::Error,
    },
    /// A package is to be updated that is not locked.
    NotLocked {
        /// The name.
        name: String,
        /// Locked names that look like it.
        nearest: Vec<String>,
    },
    /// A file that should hold public keys does not.
    Key {
        /// What is wrong.
        reason: String,
    },
    /// A transfer failed.
    Transport(nival_transport::Error),
    /// The disk did not do what was asked.
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
}

/// What is wrong with the signature of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureProblem {
    /// It is no signed text.
    Malformed(String),
    /// None of the signatures is by a known key.
    UnknownKey {
        /// The keys that signed it, by their ids.
        issuers: Vec<String>,
    },
    /// The text is not what the key signed.
    Wrong {
        /// The key's fingerprint.
        key: String,
    },
    /// It rests on a hash that is broken.
    Weak {
        /// The key's fingerprint.
        key: String,
    },
    /// It is no longer valid, or not yet.
    OutOfTime {
        /// The key's fingerprint.
        key: String,
    },
    /// The key had expired when it signed.
    KeyExpired {
        /// The key's fingerprint.
        key: String,
    },
    /// The key was revoked.
    Revoked {
        /// The key's fingerprint.
        key: String,
    },
}

impl std::fmt::Display for SignatureProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SignatureProblem::Malformed(reason) => write!(f, "it is no signed text: {reason}"),
            SignatureProblem::UnknownKey { issuers } if issuers.is_empty() => {
                f.write_str("it has no signature")
            }
            SignatureProblem::UnknownKey { issuers } => {
                write!(f, "no known key signed it, only {}", issuers.join(", "))
            }
            SignatureProblem::Wrong { key } => write!(f, "the text is not what the key {key} signed"),
            SignatureProblem::Weak { key } => {
                write!(f, "the signature of the key {key} rests on a broken hash")
            }
            SignatureProblem::OutOfTime { key } => {
                write!(f, "the signature of the key {key} is no longer valid, or not yet")
            }
            SignatureProblem::KeyExpired { key } => write!(f, "the key {key} was not valid when it signed"),
            SignatureProblem::Revoked { key } => write!(f, "the key {key} was revoked"),
        }
    }
}

impl Error {
    pub(crate) fn disk(path: &Path, error: io::Error) -> Self {
        Error::Disk { path: path.to_owned(), error }
    }

    /// What to show a user.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Error::Request { release, error } => request(release, error),
            Error::Conflict { root, conflict } => codes::nv0402_conflict::diagnostic(root, conflict),
            Error::Signature { repository, address, problem } => Diagnostic::error(
                &codes::NV0403,
                format!("the index of `{repository}` is not validly signed: {problem}"),
            )
            .note(format!("it came from {address}"))
            .help("use another mirror; a repository that is not Debian's own needs its `key`"),
            Error::OutOfDate { repository, address, limit, now } => {
                codes::nv0404_out_of_date::diagnostic(repository, address, *limit, *now)
            }
            Error::WrongSuite { repository, wanted, got } => Diagnostic::error(
                &codes::NV0405,
                format!("the mirror of `{repository}` hands out the suite `{got}`, not `{wanted}`"),
            )
            .help("use another mirror, or name the suite that the repository has"),
            Error::Index { repository, reason } => Diagnostic::error(
                &codes::NV0406,
                format!("the index of `{repository}` cannot be used: {reason}"),
            )
            .help("run the command again, or use another mirror"),
            Error::NoMirror => {
                Diagnostic::error(&codes::NV0407, "no mirror of Debian is known on this machine")
                    .help("name one with `--mirror URL`: the folder that holds `dists` and `pool`")
            }
            Error::UnknownRelease(name) => Diagnostic::error(
                &codes::NV0408,
                format!("there is no Debian release `{name}` that Nival knows"),
            )
            .help(format!("releases are: {}", crate::RELEASES.join(", "))),
            Error::Lock { path, line, reason } => codes::nv0409_lock::diagnostic(path, *line, reason),
            Error::Gone { package, version, source } => {
                codes::nv0410_gone::diagnostic(package, version, source)
            }
            Error::NotLocked { name, nearest } => {
                let error = Diagnostic::error(&codes::NV0413, format!("`{name}` is not in the lock"));
                suggest(error, nearest)
            }
            Error::Key { reason } => {
                Diagnostic::error(&codes::NV0414, format!("the key of a repository cannot be read: {reason}"))
                    .help("give the public key that the repository publishes, armored or binary")
            }
            Error::Transport(error) => error.diagnostic(),
            Error::Disk { path, error } => {
                let (path, text) = (path.display().to_string(), error.to_string());
                let text = text.strip_prefix(&format!("{path}: ")).unwrap_or(&text);
                Diagnostic::error(&codes::NV0415, format!("cannot use `{path}`: {text}"))
                    .help("make room, or mend owner and mode, and run the command again")
            }
        }
    }
}

fn request(release: &str, error: &RequestError) -> Diagnostic {
    match error {
        RequestError::Unknown { name, nearest } => suggest(
            Diagnostic::error(&codes::NV0401, format!("no repository of `{release}` has a package `{name}`")),
            nearest,
        ),
        RequestError::Virtual { name, providers } => Diagnostic::error(
            &codes::NV0411,
            format!("several packages provide `{name}`, and none has that name"),
        )
        .help(format!("name one of: {}", providers.join(", "))),
        RequestError::NoVersion { name, version, available } => Diagnostic::error(
            &codes::NV0412,
            format!("no repository of `{release}` has `{name}` in version `{version}`"),
        )
        .help(format!("there is: {}", available.join(", "))),
        RequestError::NoCandidate { name } => {
            Diagnostic::error(&codes::NV0412, format!("every version of `{name}` is pinned away"))
                .help("raise the priority of its repository or pin")
        }
    }
}

fn suggest(diagnostic: Diagnostic, nearest: &[String]) -> Diagnostic {
    match nearest {
        [] => diagnostic,
        [one] => diagnostic.help(format!("did you mean `{one}`?")),
        several => {
            let names: Vec<String> = several.iter().map(|name| format!("`{name}`")).collect();
            diagnostic.help(format!("did you mean one of {}?", names.join(", ")))
        }
    }
}

impl From<nival_transport::Error> for Error {
    fn from(error: nival_transport::Error) -> Self {
        Error::Transport(error)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.diagnostic().message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Transport(error) | Error::Gone { source: error, .. } => Some(error),
            Error::Disk { error, .. } => Some(error),
            _ => None,
        }
    }
}
