//! What can go wrong when a derivation is built.

use crate::diagnostics as codes;
use nival_diagnostics::Diagnostic;
use nival_store_model::Hash;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why something was not built.
#[derive(Debug)]
pub enum BuildError {
    /// The builder ended with an error.
    Builder {
        /// The derivation.
        drv: String,
        /// How it ended, such as `failed with exit code 1`.
        ended: String,
        /// The last lines that it said.
        tail: Vec<String>,
        /// The folder that it built in, where it was kept.
        kept: Option<PathBuf>,
    },
    /// The builder took too long, or said nothing for too long, or said too much.
    Limit {
        /// The derivation.
        drv: String,
        /// What was passed, such as `timed out after 60 seconds`.
        limit: String,
        /// The setting that says how much may be.
        setting: &'static str,
    },
    /// An output has other contents than it must have.
    HashMismatch {
        /// The derivation.
        drv: String,
        /// The hash that it says.
        wanted: Box<Hash>,
        /// The hash of what was made.
        got: Box<Hash>,
        /// The address that it was fetched from, where it names one.
        address: Option<String>,
    },
    /// An output is missing, or is what a store must not hold, or refers to what it must not.
    Output {
        /// The derivation.
        drv: String,
        /// What is wrong.
        problem: String,
    },
    /// Building again gave something else.
    NotDeterministic {
        /// The derivation.
        drv: String,
        /// The output.
        output: String,
        /// Where the new one lies, where it was kept.
        kept: Option<PathBuf>,
        /// The folder that it built in, where that was kept.
        folder: Option<PathBuf>,
    },
    /// The derivation does not make sense.
    Malformed {
        /// The derivation.
        drv: String,
        /// What is wrong.
        problem: String,
    },
    /// This machine cannot build it.
    Unfit {
        /// The derivation.
        drv: String,
        /// Why not.
        reason: String,
    },
    /// Something that it needs was not built.
    Dependency {
        /// The derivation.
        drv: String,
        /// How many of them.
        failed: usize,
    },
    /// Something that is needed is neither in the store nor can it be made.
    Missing {
        /// The path.
        path: String,
    },
    /// The place for a builder could not be made.
    Sandbox {
        /// What was being done.
        doing: String,
        /// What the system said.
        error: io::Error,
    },
    /// The store refused.
    Store(nival_store::Error),
    /// It was ended from outside.
    Cancelled,
}

impl BuildError {
    pub(crate) fn sandbox(doing: impl Into<String>, error: io::Error) -> Self {
        Self::Sandbox { doing: doing.into(), error }
    }

    /// The exit code that says what kind of failure it was, as Nix has them: 100 and bits for time limit, hash
    /// mismatch and nondeterminism; 1 for what is no builder's fault.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Builder { .. }
            | Self::Limit { setting: "max-build-memory" | "max-build-processes", .. } => 100,
            Self::Limit { setting: "max-build-log-size", .. } => 1,
            Self::Limit { .. } => 101,
            Self::HashMismatch { .. } => 102,
            Self::NotDeterministic { .. } => 104,
            _ => 1,
        }
    }

    /// The message in the words that Nix has for it, where scripts look for those.
    pub fn words_of_nix(&self) -> Option<String> {
        match self {
            Self::Dependency { drv, failed } => {
                let what = if *failed == 1 { "dependency" } else { "dependencies" };
                Some(format!("Cannot build '{drv}'.\nReason: {failed} {what} failed."))
            }
            Self::Builder { drv, ended, .. } => {
                Some(format!("Cannot build '{drv}'.\nReason: builder {ended}."))
            }
            _ => None,
        }
    }

    /// What to show a user.
    pub fn diagnostic(&self) -> Diagnostic {
        let message = self.to_string();
        match self {
            Self::Builder { tail, kept, drv, .. } => {
                let mut shown = Diagnostic::error(&codes::NV0530, message);
                if !tail.is_empty() {
                    shown = shown.note(format!("the last lines of its log:\n{}", tail.join("\n")));
                }
                if let Some(kept) = kept {
                    shown = shown.note(format!("the folder that it built in was kept: {}", kept.display()));
                }
                shown.help(format!("the whole log: `nival log {drv}`; `--keep-failed` keeps the folder that it builds in"))
            }
            Self::Limit { setting, .. } => Diagnostic::error(&codes::NV0531, message)
                .help(format!("if it needs more, raise `{setting}`")),
            Self::HashMismatch { got, address, .. } => {
                let mut shown = Diagnostic::error(&codes::NV0532, message);
                if let Some(address) = address {
                    shown = shown.note(format!("it was fetched from {address}"));
                }
                shown.help(format!("if the new contents are right, write `hash = \"{}\";`", got.sri()))
            }
            Self::Output { .. } => Diagnostic::error(&codes::NV0533, message)
                .help("mend what the builder makes, or what the derivation says of its outputs"),
            Self::NotDeterministic { kept, folder, .. } => {
                let mut shown = Diagnostic::error(&codes::NV0534, message);
                if let Some(folder) = folder {
                    shown = shown.note(format!("the folder that it built in was kept: {}", folder.display()));
                }
                if let Some(kept) = kept {
                    shown = shown.note(format!("the other one was kept: {}", kept.display()));
                }
                shown.help("look for times, random numbers, or the order of files, in what differs; `--keep-failed` keeps the other one")
            }
            Self::Malformed { .. } => Diagnostic::error(&codes::NV0535, message).help("mend the derivation's attribute"),
            Self::Unfit { .. } => Diagnostic::error(&codes::NV0536, message)
                .help("build it on a machine that fits, or add what this one has to `system-features` or `extra-platforms`"),
            Self::Dependency { .. } => Diagnostic::error(&codes::NV0537, message)
                .help("mend what failed first; what was built meanwhile is kept"),
            Self::Missing { .. } => Diagnostic::error(&codes::NV0538, message)
                .help("evaluate again what made it, or name a cache that has it"),
            Self::Sandbox { .. } => Diagnostic::error(&codes::NV0539, message)
                .help("`--option sandbox false` builds without confinement, if you trust what is built"),
            Self::Store(error) => error.diagnostic(),
            Self::Cancelled => Diagnostic::error(&codes::NV0525, message).help("run the command again"),
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builder { drv, ended, .. } => write!(f, "the builder {ended}: `{drv}`"),
            Self::Limit { drv, limit, .. } => write!(f, "the builder {limit}: `{drv}`"),
            Self::HashMismatch { drv, wanted, got, .. } => write!(
                f,
                "hash mismatch in fixed-output derivation `{drv}`:\n  specified: {}\n        got: {}",
                wanted.sri(),
                got.sri()
            ),
            Self::Output { drv, problem } => write!(f, "the outputs of `{drv}` were refused: {problem}"),
            Self::NotDeterministic { drv, output, .. } => {
                write!(f, "`{drv}` may not be deterministic: built again, its output `{output}` differs")
            }
            Self::Malformed { drv, problem } => write!(f, "`{drv}` cannot be built: {problem}"),
            Self::Unfit { drv, reason } => write!(f, "this machine cannot build `{drv}`: {reason}"),
            Self::Dependency { drv, failed: 1 } => {
                write!(f, "`{drv}` was not built: something that it needs failed")
            }
            Self::Dependency { drv, failed } => {
                write!(f, "`{drv}` was not built: {failed} things that it needs failed")
            }
            Self::Missing { path } => {
                write!(f, "the path is not in the store, and nothing says how to make it: `{path}`")
            }
            Self::Sandbox { doing, error } => write!(f, "cannot {doing}: {error}"),
            Self::Store(error) => error.fmt(f),
            Self::Cancelled => f.write_str("the build was interrupted"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Sandbox { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<nival_store::Error> for BuildError {
    fn from(error: nival_store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<nival_store_model::StorePathError> for BuildError {
    fn from(error: nival_store_model::StorePathError) -> Self {
        Self::Store(error.into())
    }
}
