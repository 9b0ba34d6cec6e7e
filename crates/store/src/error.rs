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
    /// One file was asked for, and this is none.
    NotAFile(PathBuf),
    /// A path is not registered.
    NotValid(String),
    /// A path cannot go: others refer to it.
    InUse {
        /// The path.
        path: String,
        /// Those that refer to it.
        by: Vec<String>,
    },
    /// A path cannot go: it is alive.
    StillAlive {
        /// The path.
        path: String,
        /// Why.
        reason: String,
    },
    /// Something that is no root is where a root is to be.
    RootInTheWay(PathBuf),
    /// A store that may not be written to does not exist.
    NothingToRead(PathBuf),
    /// A content address does not give the path that claims it.
    Unaddressed {
        /// The path.
        path: String,
        /// What it claims.
        address: String,
    },
    /// Contents have another hash or size than was said of them.
    OtherContents {
        /// The path.
        path: String,
        /// What was said.
        wanted: String,
        /// What they have.
        got: String,
    },
    /// A file that should hold a derivation does not.
    Derivation {
        /// The path.
        path: String,
        /// Where it stops making sense.
        error: nival_store_model::DerivationError,
    },
    /// A derivation names an output path that does not follow from it.
    WrongOutput {
        /// The derivation.
        derivation: String,
        /// What it names.
        named: String,
        /// What follows from it.
        wanted: String,
    },
    /// An output turned out to be one path here and another one there.
    OtherRealisation {
        /// The derivation's hash and the output.
        output: String,
        /// The path that is known.
        known: String,
        /// The path that was to be registered.
        new: String,
    },
    /// A registered reference is not in the store.
    MissingReference {
        /// The path that was to be registered.
        path: String,
        /// What it refers to.
        reference: String,
    },
    /// A NAR is broken or malicious.
    Archive(nival_store_model::nar::NarError),
    /// A store that is elsewhere failed, refused or lied.
    Remote(Box<crate::remote_error::RemoteError>),
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
            Self::NotAFile(path) => write!(f, "`{}` is no regular file", path.display()),
            Self::NotValid(path) => write!(f, "path `{path}` is not valid"),
            Self::InUse { path, by } => {
                let by: Vec<_> = by.iter().map(|path| format!("`{path}`")).collect();
                write!(f, "cannot delete path `{path}` because it is in use by {}", by.join(", "))
            }
            Self::StillAlive { path, reason } => {
                write!(f, "cannot delete path `{path}` since it is still alive: {reason}")
            }
            Self::NothingToRead(path) => write!(
                f,
                "database does not exist, and cannot be created in read-only mode: `{}`",
                path.display()
            ),
            Self::RootInTheWay(path) => {
                write!(f, "cannot create symlink `{}`; already exists", path.display())
            }
            Self::Unaddressed { path, address } => {
                write!(f, "`{path}` claims to be content-addressed but isn't: `{address}` names another path")
            }
            Self::OtherContents { path, wanted, got } => {
                write!(f, "hash mismatch in `{path}`: specified {wanted}, got {got}")
            }
            Self::Derivation { path, error } => write!(f, "error parsing derivation `{path}`: {error}"),
            Self::WrongOutput { derivation, named, wanted } => {
                write!(f, "derivation `{derivation}` has incorrect output `{named}`, should be `{wanted}`")
            }
            Self::OtherRealisation { output, known, new } => {
                write!(f, "`{output}` is known as `{known}`, so it cannot be `{new}` as well")
            }
            Self::MissingReference { path, reference } => {
                write!(f, "cannot register `{path}`: what it refers to is not in the store: `{reference}`")
            }
            Self::Archive(error) => error.fmt(f),
            Self::Remote(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<nival_store_model::StorePathError> for Error {
    fn from(error: nival_store_model::StorePathError) -> Self {
        Self::Name(error)
    }
}

impl From<crate::remote_error::RemoteError> for Error {
    fn from(error: crate::remote_error::RemoteError) -> Self {
        Self::Remote(Box::new(error))
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
            Self::NotAFile(_) => Diagnostic::error(&diagnostics::not_a_file::ENTRY, message)
                .help("hash it recursively, or name a file"),
            Self::NotValid(_) => Diagnostic::error(&diagnostics::not_valid::ENTRY, message)
                .help("build it, copy it from another store, or look at its spelling"),
            Self::InUse { .. } => Diagnostic::error(&diagnostics::in_use::ENTRY, message)
                .help("delete those paths first, or let the garbage collector choose the order"),
            Self::StillAlive { .. } => Diagnostic::error(&diagnostics::still_alive::ENTRY, message)
                .help("remove what needs it first; `nival why PATH` shows the whole way from a root"),
            Self::NothingToRead(_) => Diagnostic::error(&diagnostics::nothing_to_read::ENTRY, message)
                .help("name a folder that holds a store, or let it be made by leaving `read-only` out"),
            Self::RootInTheWay(_) => Diagnostic::error(&diagnostics::root_in_the_way::ENTRY, message)
                .help("move it away, or name another link"),
            Self::Unaddressed { .. } => Diagnostic::error(&diagnostics::unaddressed::ENTRY, message)
                .help("do not trust where this came from; bring the path from elsewhere or build it"),
            Self::OtherContents { .. } => Diagnostic::error(&diagnostics::other_contents::ENTRY, message)
                .help("do not trust where this came from; bring the path from elsewhere or build it"),
            Self::Derivation { .. } => Diagnostic::error(&diagnostics::derivation::ENTRY, message)
                .help("the file was changed or comes from a newer program; evaluate it again"),
            Self::WrongOutput { .. } => Diagnostic::error(&diagnostics::wrong_output::ENTRY, message)
                .help("do not trust where this derivation came from; evaluate it again"),
            Self::OtherRealisation { .. } => Diagnostic::error(&diagnostics::other_realisation::ENTRY, message)
                .help("the build is not reproducible; collect one of the two paths to go on with the other"),
            Self::MissingReference { .. } => Diagnostic::error(&diagnostics::missing_reference::ENTRY, message)
                .help("add what is referred to first"),
            Self::Archive(_) => Diagnostic::error(&diagnostics::archive::ENTRY, message)
                .help("fetch it again, from another place where there is one; nothing of it was registered"),
            Self::Remote(error) => error.diagnostic(),
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
