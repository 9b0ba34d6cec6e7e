//! What can go wrong in the store.

use crate::diagnostics;
use nival_diagnostics::Diagnostic;
use std::path::PathBuf;
use std::{fmt, io};

/// What can go wrong in the store.
#[derive(Debug)]
pub enum Error {
    /// The operating system refused.
    Io {
        /// What was being done, such as ``add `x` to the store``.
        doing: String,
        /// What it said.
        error: io::Error,
    },
    /// The database refused, or is broken.
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        error: rusqlite::Error,
    },
    /// The database was made by a program that is newer, or much older.
    Schema {
        /// The file that tells the schema's number.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// A name or path does not have the form of a store path.
    Name(nival_store_model::StorePathError),
    /// A tree holds something that a store cannot: a device, a socket, a pipe.
    Special(PathBuf),
    /// A registered reference is not in the store.
    MissingReference {
        /// The path that was to be registered.
        path: String,
        /// What it refers to.
        reference: String,
    },
    /// A NAR is broken or malicious.
    Archive(nival_store_model::nar::NarError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, error } => write!(f, "cannot {doing}: {error}"),
            Self::Database { path, error } => {
                write!(f, "the store's database `{}` failed: {error}", path.display())
            }
            Self::Schema { path, found } => {
                write!(f, "the store has a schema that is not known, `{found}` in `{}`", path.display())
            }
            Self::Name(error) => error.fmt(f),
            Self::Special(path) => {
                write!(
                    f,
                    "a store holds files, folders and links, but this is none of them: `{}`",
                    path.display()
                )
            }
            Self::MissingReference { path, reference } => {
                write!(f, "cannot register `{path}`: what it refers to is not in the store: `{reference}`")
            }
            Self::Archive(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<nival_store_model::StorePathError> for Error {
    fn from(error: nival_store_model::StorePathError) -> Self {
        Self::Name(error)
    }
}

impl From<nival_store_model::nar::NarError> for Error {
    fn from(error: nival_store_model::nar::NarError) -> Self {
        Self::Archive(error)
    }
}

impl Error {
    /// The coded diagnostic.
    pub fn diagnostic(&self) -> Diagnostic {
        let message = self.to_string();
        match self {
            Self::Io { error, .. } if error.kind() == io::ErrorKind::StorageFull => {
                Diagnostic::error(&diagnostics::disk_full::ENTRY, message)
                    .help("free space on that disk; nothing that was in the store is lost, and the command can be run again")
            }
            Self::Io { .. } => Diagnostic::error(&diagnostics::io::ENTRY, message)
                .help("mend the cause (permissions, a disk that fails) and run the command again"),
            Self::Database { .. } => Diagnostic::error(&diagnostics::database::ENTRY, message)
                .help("if another program holds the store, wait for it; a broken database can be restored from a backup"),
            Self::Schema { .. } => Diagnostic::error(&diagnostics::schema::ENTRY, message)
                .help("use another data folder (`--data-dir`), or the program that made this store"),
            Self::Name(_) => Diagnostic::error(&diagnostics::store_name::ENTRY, message)
                .help("a name has letters, digits and `+-._?=` only, at most 211 of them"),
            Self::Special(_) => Diagnostic::error(&diagnostics::special_file::ENTRY, message)
                .help("leave it out, or make it when the machine starts"),
            Self::MissingReference { .. } => Diagnostic::error(&diagnostics::missing_reference::ENTRY, message)
                .help("add what is referred to first"),
            Self::Archive(_) => Diagnostic::error(&diagnostics::archive::ENTRY, message)
                .help("fetch it again, from another place where there is one; nothing of it was registered"),
        }
    }
}

/// Names what was being done when an error of the system came.
pub(crate) trait Doing<T> {
    fn doing(self, text: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, text: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|error| Error::Io { doing: text(), error })
    }
}
