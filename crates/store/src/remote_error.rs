//! What can go wrong with stores that are not on this disk. The message names the culprit.

use crate::diagnostics;
use nival_diagnostics::Diagnostic;
use std::fmt;

/// What can go wrong with stores that are not on this disk.
#[derive(Debug)]
pub enum RemoteError {
    /// The network refused.
    Transport(nival_transport::Error),
    /// A cache cannot be used, or says what cannot be.
    Cache {
        /// The cache.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// A cache has lost an archive that it names.
    Gone {
        /// The cache.
        url: String,
        /// The archive, seen from the cache.
        archive: String,
    },
    /// A path has no signature of a key that is trusted.
    Untrusted {
        /// Where it comes from.
        url: String,
        /// The path.
        path: String,
    },
    /// What a store sent is not what it said.
    Lie {
        /// Where it comes from.
        url: String,
        /// The path.
        path: String,
        /// What does not fit: `hash`, `size` and the like.
        what: &'static str,
        /// What was wanted.
        wanted: String,
        /// What came.
        got: String,
    },
    /// No store has a path, or each that has it failed.
    Missing {
        /// The path.
        path: String,
        /// What was wrong with each store that was asked.
        causes: Vec<String>,
    },
    /// A key cannot be used.
    Key {
        /// Where it is.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An address names no store.
    Address {
        /// The address.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A daemon refused, or speaks in a way that is not understood.
    Daemon {
        /// Its socket or program.
        place: String,
        /// What it said.
        reason: String,
    },
}

impl RemoteError {
    /// [`RemoteError::Cache`].
    pub(crate) fn cache(url: &str, reason: impl Into<String>) -> Self {
        Self::Cache { url: url.to_owned(), reason: reason.into() }
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(error) => error.fmt(f),
            Self::Cache { url, reason } => write!(f, "cannot use the store `{url}`: {reason}"),
            Self::Gone { url, archive } => {
                write!(f, "the file `{archive}` does not exist in binary cache `{url}`, which names it")
            }
            Self::Untrusted { url, path } => {
                write!(f, "`{path}` of `{url}` lacks a signature by a trusted key")
            }
            Self::Lie { url, path, what, wanted, got } => {
                write!(f, "{what} mismatch in `{path}` of `{url}`: wanted {wanted}, got {got}")
            }
            Self::Missing { path, causes } => {
                write!(f, "no store has what is needed: `{path}`")?;
                causes.iter().try_for_each(|cause| write!(f, "; {cause}"))
            }
            Self::Key { place, reason } => write!(f, "cannot use the key in `{place}`: {reason}"),
            Self::Address { text, reason } => write!(f, "`{text}` names no store: {reason}"),
            Self::Daemon { place, reason } => write!(f, "the daemon `{place}`: {reason}"),
        }
    }
}

impl std::error::Error for RemoteError {}

impl RemoteError {
    /// The coded diagnostic.
    pub fn diagnostic(&self) -> Diagnostic {
        let message = self.to_string();
        match self {
            Self::Transport(error) => error.diagnostic(),
            Self::Cache { .. } | Self::Gone { .. } => Diagnostic::error(&diagnostics::cache::ENTRY, message)
                .help("check the store's address; another substituter or building takes its place meanwhile"),
            Self::Untrusted { .. } => Diagnostic::error(&diagnostics::untrusted::ENTRY, message)
                .help("add the key to `trusted-public-keys` if you trust who made it, or sign the path"),
            Self::Lie { .. } => Diagnostic::error(&diagnostics::lie::ENTRY, message)
                .help("nothing of it was registered; tell the store's owner, or leave that store out"),
            Self::Missing { path, causes } => {
                let message = format!("no store has what is needed: `{path}`");
                let diagnostic = Diagnostic::error(&diagnostics::missing_path::ENTRY, message);
                let noted =
                    causes.iter().fold(diagnostic, |diagnostic, cause| diagnostic.note(cause.clone()));
                noted.help("name another substituter, or build it")
            }
            Self::Key { .. } => Diagnostic::error(&diagnostics::key::ENTRY, message)
                .help("a key is one line, `NAME:BASE64`; `nival key generate NAME` makes one"),
            Self::Address { .. } => Diagnostic::error(&diagnostics::address::ENTRY, message).help(
                "stores are written `file:///FOLDER`, `https://HOST`, `local?root=/FOLDER`, `/FOLDER`, `daemon` or `ssh-ng://HOST`",
            ),
            Self::Daemon { place, .. } if place.starts_with("ssh") => {
                Diagnostic::error(&diagnostics::daemon::ENTRY, message)
                    .help("try `ssh HOST nix-store --version`: the machine must let you in and have the program")
            }
            Self::Daemon { .. } => Diagnostic::error(&diagnostics::daemon::ENTRY, message)
                .help("check that the daemon runs and that you may use it"),
        }
    }
}
