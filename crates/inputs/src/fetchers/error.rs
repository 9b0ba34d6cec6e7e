//! What can go wrong with inputs and flakes.

use crate::diagnostics;
use nival_diagnostics::Diagnostic;
use nival_store_model::Hash;
use std::fmt;
use std::path::PathBuf;

/// What can go wrong with inputs and flakes.
#[derive(Debug)]
pub enum Error {
    /// A reference or its attributes are malformed.
    Reference(String),
    /// An experimental feature is needed that is not switched on.
    Feature {
        /// Its name.
        feature: &'static str,
        /// What needs it.
        what: String,
    },
    /// The network or a server failed.
    Transport(nival_transport::Error),
    /// The store failed.
    Store(nival_store::Error),
    /// Something else was fetched than what is pinned.
    Mismatch {
        /// Which input.
        input: String,
        /// Which attribute.
        attribute: String,
        /// What was wanted.
        wanted: String,
        /// What there is.
        got: String,
    },
    /// Git or another program failed.
    Program {
        /// What was being done.
        doing: String,
        /// What the program said.
        said: String,
    },
    /// An archive is malformed, or holds what no store can hold.
    Archive {
        /// Which archive.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// It is not fetched, by a rule: pure or restricted evaluation, dirty trees.
    Refused(String),
    /// A name that no registry knows.
    NotInRegistry(String),
    /// A `flake.nix` is not one.
    Flake {
        /// Which.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// A `flake.lock` is malformed, or would have to be changed.
    Lock {
        /// Which.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// A program that fetches is not installed.
    MissingProgram {
        /// What was being done.
        doing: String,
        /// Its name.
        program: String,
    },
    /// A file or folder of the user's failed.
    Io(PathBuf, std::io::Error),
    /// Something failed while a step outward was made.
    Context(String, Box<Error>),
}

impl Error {
    /// Says what was being done.
    #[must_use]
    pub fn context(self, doing: impl Into<String>) -> Self {
        Self::Context(doing.into(), Box::new(self))
    }

    /// A hash that is another one.
    pub fn hash(input: &str, wanted: &Hash, got: &Hash) -> Self {
        let (wanted, got) = (wanted.sri(), got.sri());
        Self::Mismatch { input: input.to_owned(), attribute: "narHash".to_owned(), wanted, got }
    }

    /// The coded diagnostic.
    pub fn diagnostic(&self) -> Diagnostic {
        let error = |entry| Diagnostic::error(entry, self.to_string());
        match self {
            Self::Reference(_) => error(&diagnostics::NV0416)
                .help("references look like `github:owner/repo`, `git+file:///folder`, `path:./folder` or `https://host/file.tar.gz`"),
            Self::Feature { feature, .. } => error(&diagnostics::NV0417)
                .help(format!("add `extra-experimental-features = {feature}` to nix.conf, or to the variable NIX_CONFIG")),
            Self::Transport(error) => error.diagnostic(),
            Self::Store(error) => error.diagnostic(),
            Self::Mismatch { attribute, got, .. } => {
                let name = if attribute == "narHash" { "narHash" } else { attribute };
                error(&diagnostics::NV0418)
                    .help(format!("if the new contents are right, write `{name} = \"{got}\";`"))
            }
            Self::Program { said, .. } => {
                let lines = said.lines().filter(|line| !line.trim().is_empty());
                let diagnostic = lines.take(8).fold(error(&diagnostics::NV0419), |d, line| d.note(line.trim_end()));
                diagnostic.help("see whether the same address and revision work with the program itself")
            }
            Self::Archive { .. } => error(&diagnostics::NV0420).help("fetch it again, or ask who made it"),
            Self::Refused(_) => error(&diagnostics::NV0421)
                .help("pin the input by a revision or a hash, or allow impure evaluation with `--impure`"),
            Self::NotInRegistry(_) => error(&diagnostics::NV0422)
                .help("write a whole reference such as `github:owner/repo`, or add the name to registry.json"),
            Self::Flake { .. } => error(&diagnostics::NV0423)
                .help("a flake.nix is a set with `inputs` as plain values and `outputs` as a function"),
            Self::Lock { .. } => error(&diagnostics::NV0424)
                .help("lock the flake again, or restore its flake.lock"),
            Self::MissingProgram { program, .. } => {
                let package = if program == "hg" { "mercurial" } else { program.as_str() };
                error(&diagnostics::NV0425)
                    .help(format!("install it: `apt install {package}`, or put it on the PATH"))
            }
            Self::Io(..) => error(&diagnostics::NV0426).help("check the path and its permissions"),
            Self::Context(doing, inner) => inner.diagnostic().frame(None, doing.clone()),
        }
    }

    /// The error without what was being done.
    pub fn root(&self) -> &Self {
        match self {
            Self::Context(_, inner) => inner.root(),
            other => other,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference(text) | Self::Refused(text) => f.write_str(text),
            Self::Feature { feature, what } => {
                write!(f, "{what} needs the experimental feature `{feature}`, which is not switched on")
            }
            Self::Transport(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Mismatch { input, attribute, wanted, got } => {
                write!(
                    f,
                    "`{attribute}` of `{input}` is another one than it should be: wanted `{wanted}`, got `{got}`"
                )
            }
            Self::Program { doing, .. } => write!(f, "cannot {doing}"),
            Self::MissingProgram { doing, program } => {
                write!(f, "cannot {doing}: there is no program `{program}`")
            }
            Self::Archive { name, why } => write!(f, "the archive `{name}` cannot be unpacked: {why}"),
            Self::NotInRegistry(name) => write!(f, "no flake registry knows `{name}`"),
            Self::Flake { path, why } => write!(f, "the flake `{path}` cannot be read: {why}"),
            Self::Lock { path, why } => write!(f, "the lock file of `{path}`: {why}"),
            Self::Io(path, error) => write!(f, "cannot use `{}`: {error}", path.display()),
            Self::Context(_, inner) => inner.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<nival_transport::Error> for Error {
    fn from(error: nival_transport::Error) -> Self {
        Self::Transport(error)
    }
}

impl From<nival_store::Error> for Error {
    fn from(error: nival_store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<nival_store_model::StorePathError> for Error {
    fn from(error: nival_store_model::StorePathError) -> Self {
        Self::Store(error.into())
    }
}

/// Names the file that an error of the system is about.
pub(crate) trait At<T> {
    fn at(self, path: &std::path::Path) -> Result<T, Error>;
}

impl<T> At<T> for std::io::Result<T> {
    fn at(self, path: &std::path::Path) -> Result<T, Error> {
        self.map_err(|error| Error::Io(path.to_owned(), error))
    }
}
