//! What can go wrong between an expression and a built machine.

use crate::diagnostics;
use nival_diagnostics::Diagnostic;
use nival_eval::EvalError;
use std::path::PathBuf;
use std::{fmt, io};

/// What can go wrong between an expression and a built machine.
#[derive(Debug)]
pub enum Error {
    /// Evaluation ended in an error; it marks places in the session's sources.
    Evaluation(Box<Diagnostic>),
    /// The store failed.
    Store(nival_store::Error),
    /// A package could not be unpacked.
    Unpack(nival_build::Error),
    /// Something could not be built.
    Build(nival_build::BuildError),
    /// The lock or the archive failed.
    Inputs(Box<nival_inputs::Error>),
    /// There is no configuration where one was named.
    NoConfiguration(PathBuf),
    /// A machine was named that the configuration does not have.
    UnknownMachine {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A service was named that the library does not have.
    UnknownService {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Something that the caller's part of the work raised.
    Other(Box<Diagnostic>),
    /// Something about a file or folder of the user's failed.
    Io(PathBuf, io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic().message)
    }
}

impl std::error::Error for Error {}

impl From<EvalError> for Error {
    fn from(error: EvalError) -> Self {
        Self::Evaluation(Box::new(error.diagnostic()))
    }
}

impl From<nival_store::Error> for Error {
    fn from(error: nival_store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<nival_build::Error> for Error {
    fn from(error: nival_build::Error) -> Self {
        Self::Unpack(error)
    }
}

impl From<nival_inputs::Error> for Error {
    fn from(error: nival_inputs::Error) -> Self {
        Self::Inputs(Box::new(error))
    }
}

impl From<nival_inputs::fetchers::Error> for Error {
    fn from(error: nival_inputs::fetchers::Error) -> Self {
        Self::Other(Box::new(error.diagnostic()))
    }
}

impl Error {
    /// The coded diagnostic.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::Evaluation(diagnostic) | Self::Other(diagnostic) => (**diagnostic).clone(),
            Self::Store(error) => error.diagnostic(),
            Self::Unpack(error) => error.diagnostic(),
            Self::Build(error) => error.diagnostic(),
            Self::Inputs(error) => error.diagnostic(),
            Self::NoConfiguration(path) => Diagnostic::error(
                &diagnostics::no_configuration::ENTRY,
                format!("there is no configuration at `{}`", path.display()),
            )
            .help("name a file, or a folder with `configuration.nix`; `nival init FOLDER` writes one to start from"),
            Self::UnknownMachine { name, known } => {
                let diagnostic = Diagnostic::error(
                    &diagnostics::no_such_machine::ENTRY,
                    format!("the configuration has no machine of this name: `{name}`"),
                );
                let names: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                diagnostic.help(format!("there is {}", names.join(", ")))
            }
            Self::UnknownService { name, known } => {
                let near = known.iter().find(|other| strsim::jaro_winkler(name, other) > 0.8);
                let diagnostic = Diagnostic::error(
                    &diagnostics::no_such_service::ENTRY,
                    format!("there is no service of this name: `{name}`"),
                );
                match near {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic.help(format!("there are {}", known.join(", "))),
                }
            }
            Self::Io(path, error) => Diagnostic::error(
                &diagnostics::file::ENTRY,
                format!("cannot read `{}`: {error}", path.display()),
            )
            .help("check the path and its permissions"),
        }
    }
}
