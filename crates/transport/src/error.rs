//! What can go wrong on the way.

use crate::diagnostics;
use nival_diagnostics::{Diagnostic, Entry};
use std::io;

/// Why a file could not be had.
#[derive(Debug)]
pub enum Error {
    /// None of the addresses had it.
    Unavailable {
        /// What messages call the file.
        name: String,
        /// What was wrong with each address, in the order in which they were tried.
        failures: Vec<Failure>,
    },
    /// It was cancelled.
    Cancelled,
    /// The disk did not do what was asked.
    Disk(io::Error),
    /// A proxy, netrc or certificate file cannot be used.
    Setup {
        /// What it is: an address or a path.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What was wrong with one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The address.
    pub address: String,
    /// What was wrong.
    pub kind: FailureKind,
}

/// What was wrong with an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The server cannot be reached: name, connection, or time.
    Unreachable(String),
    /// The server says that there is no such file.
    NotFound,
    /// The server refuses or fails.
    Status(u16),
    /// The transfer broke again and again.
    Broken(String),
    /// The file is of another size.
    Size {
        /// The size that was wanted.
        wanted: u64,
        /// The size that arrived, as far as it was read.
        got: u64,
    },
    /// The file has another SHA-256.
    Hash {
        /// The hash that was wanted, as hex digits.
        wanted: String,
        /// The hash of what arrived, as hex digits.
        got: String,
    },
    /// It is larger than it may be.
    TooLarge(u64),
    /// It is no address.
    Malformed(String),
}

impl std::fmt::Display for FailureKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FailureKind::Unreachable(reason) => write!(f, "cannot be reached: {reason}"),
            FailureKind::NotFound => f.write_str("there is no such file"),
            FailureKind::Status(status) => write!(f, "the server answers with status {status}"),
            FailureKind::Broken(reason) => write!(f, "the transfer broke: {reason}"),
            FailureKind::Size { wanted, got } => write!(f, "wanted {wanted} bytes, got {got}"),
            FailureKind::Hash { wanted, got } => write!(f, "wanted SHA-256 {wanted}, got {got}"),
            FailureKind::TooLarge(limit) => write!(f, "is larger than {limit} bytes"),
            FailureKind::Malformed(reason) => write!(f, "is no address that can be used: {reason}"),
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Unavailable { name, failures } => {
                write!(f, "cannot fetch `{name}`")?;
                failures.iter().try_for_each(|failure| write!(f, "; {}: {}", failure.address, failure.kind))
            }
            Error::Cancelled => f.write_str("cancelled"),
            Error::Disk(error) => error.fmt(f),
            Error::Setup { what, reason } => write!(f, "cannot use `{what}`: {reason}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Disk(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Error::Disk(error)
    }
}

impl Error {
    /// What to show a user.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Error::Unavailable { name, failures } => unavailable(name, failures),
            Error::Cancelled => Diagnostic::error(&diagnostics::NV0706, "cancelled")
                .help("run the command again: what has arrived is kept"),
            Error::Disk(error) => {
                Diagnostic::error(&diagnostics::NV0705, format!("cannot write what was fetched: {error}"))
            }
            Error::Setup { what, reason } => {
                Diagnostic::error(&diagnostics::NV0707, format!("cannot use `{what}`: {reason}"))
            }
        }
    }

    /// True where no server could be reached at all.
    pub fn is_offline(&self) -> bool {
        let Error::Unavailable { failures, .. } = self else { return false };
        !failures.is_empty() && failures.iter().all(|f| matches!(f.kind, FailureKind::Unreachable(_)))
    }

    /// True where every address was asked and none has the file.
    pub fn is_gone(&self) -> bool {
        let Error::Unavailable { failures, .. } = self else { return false };
        !failures.is_empty() && failures.iter().all(|f| f.kind == FailureKind::NotFound)
    }
}

fn unavailable(name: &str, failures: &[Failure]) -> Diagnostic {
    let (entry, message, help) = describe(failures);
    let mut diagnostic = Diagnostic::error(entry, message.replace("{}", name));
    for failure in failures {
        diagnostic = diagnostic.note(format!("{}: {}", failure.address, failure.kind));
    }
    diagnostic.help(help)
}

fn describe(failures: &[Failure]) -> (&'static Entry, &'static str, &'static str) {
    let all = |fits: fn(&FailureKind) -> bool| failures.iter().all(|failure| fits(&failure.kind));
    let any = |fits: fn(&FailureKind) -> bool| failures.iter().any(|failure| fits(&failure.kind));
    if any(|kind| matches!(kind, FailureKind::Size { .. } | FailureKind::Hash { .. })) {
        let help = "the mirror or something on the way changes the file: try another mirror";
        return (&diagnostics::NV0703, "what was fetched for `{}` is not what was locked", help);
    }
    if all(|kind| matches!(kind, FailureKind::Unreachable(_))) {
        let help = "check the network and the proxy; what is in the store already needs none";
        return (&diagnostics::NV0701, "no network to fetch `{}` with", help);
    }
    if all(|kind| *kind == FailureKind::NotFound) {
        return (
            &diagnostics::NV0702,
            "no mirror has `{}`",
            "try another mirror, or update what names the file",
        );
    }
    (&diagnostics::NV0704, "cannot fetch `{}`", "run the command again: what has arrived is kept")
}
