//! Everything outside of evaluation.

use crate::ContextElement;
use nival_diagnostics::Diagnostic;
use nival_store_model::{Derivation, DerivationFile};

/// The result of asking the world.
pub type WorldResult<T> = Result<T, Box<Diagnostic>>;

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileType {
    /// A file.
    Regular,
    /// A folder.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Something else.
    Unknown,
}

impl FileType {
    /// The name that the language gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::Directory => "directory",
            Self::Symlink => "symlink",
            Self::Unknown => "unknown",
        }
    }
}

/// Decides whether a path goes into the store.
pub type PathFilter<'a> = dyn FnMut(&str, FileType) -> Result<bool, Box<Diagnostic>> + 'a;

/// A file or folder to copy into the store.
pub struct AddPath<'a> {
    /// The name of the store path.
    pub name: &'a str,
    /// Where it is.
    pub path: &'a str,
    /// By its archive (`true`), or by the bytes of one file.
    pub recursive: bool,
    /// The hash that it must have.
    pub sha256: Option<[u8; 32]>,
    /// What of a folder is left out.
    pub filter: Option<&'a mut PathFilter<'a>>,
}

/// What kind of fetching is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchKind {
    /// `builtins.fetchurl`
    Url,
    /// `builtins.fetchTarball`
    Tarball,
    /// `builtins.fetchGit`
    Git,
    /// `builtins.fetchMercurial`
    Mercurial,
    /// `builtins.fetchTree`
    Tree,
    /// An input of a lock file: all of its attributes are there.
    FinalTree,
    /// `builtins.fetchClosure`
    Closure,
}

/// A simple value of a fetcher's argument or result.
#[derive(Clone, Debug, PartialEq)]
pub enum FetchValue {
    /// A text.
    Text(String),
    /// A number.
    Int(i64),
    /// Yes or no.
    Bool(bool),
}

/// What is to be fetched: the attributes of the builtin's argument.
#[derive(Clone, Debug)]
pub struct FetchRequest {
    /// By which builtin.
    pub kind: FetchKind,
    /// The attributes, by name; a plain string is `url`, and then a tree has no `type`.
    pub attributes: Vec<(String, FetchValue)>,
}

/// Where evaluation reads, writes and asks. Implementations keep their own state.
pub trait World {
    /// The bytes of a file; links are followed.
    fn read_file(&self, path: &str) -> WorldResult<Vec<u8>>;
    /// The entries of a folder, in any order.
    fn read_dir(&self, path: &str) -> WorldResult<Vec<(String, FileType)>>;
    /// What a path is, without following a last link; `None` if there is nothing.
    fn file_type(&self, path: &str) -> WorldResult<Option<FileType>>;
    /// Where a link points to.
    fn read_link(&self, path: &str) -> WorldResult<String>;
    /// The logical store folder, such as `/nix/store`.
    fn store_dir(&self) -> &str;
    /// Copies into the store; the store path. A hash that differs is an error.
    fn add_path(&self, request: AddPath<'_>) -> WorldResult<String>;
    /// Writes a text into the store; the store path.
    fn add_text(&self, name: &str, text: &[u8], references: &[String]) -> WorldResult<String>;
    /// Keeps a derivation, whose file is this; the outline has neither its arguments nor its environment.
    fn write_derivation(&self, file: DerivationFile, outline: &Derivation) -> WorldResult<()>;
    /// Reads a derivation. Where nothing is written, one that this evaluation made may come without its arguments and
    /// environment.
    fn read_derivation(&self, path: &str) -> WorldResult<Derivation>;
    /// Makes the outputs exist that evaluation is about to read. Those whose path was not known before are returned:
    /// what stood for each of them, and the path.
    fn realise(&self, needed: &[ContextElement]) -> WorldResult<Vec<(String, String)>>;
    /// What a store path refers to; nothing where that is not known.
    fn references(&self, _path: &str) -> WorldResult<Vec<String>> {
        Ok(Vec::new())
    }
    /// Makes sure that a store path exists.
    fn ensure_path(&self, path: &str) -> WorldResult<()>;
    /// A variable of the environment; `None` where it is hidden or unset.
    fn env(&self, name: &str) -> Option<String>;
    /// Seconds since 1970; `None` in pure evaluation.
    fn current_time(&self) -> Option<i64>;
    /// Such as `x86_64-linux`; `None` in pure evaluation.
    fn current_system(&self) -> Option<String>;
    /// The search path: prefix (may be empty) and path.
    fn search_path(&self) -> Vec<(String, String)>;
    /// The folder that an entry of the search path stands for: it can be an address of an archive, `channel:NAME`
    /// or `flake:REFERENCE`. `None` where there is nothing.
    fn resolve_search_path(&self, entry: &str) -> WorldResult<Option<String>> {
        Ok(Some(entry.to_owned()))
    }
    /// The folder that a name of the search path means where the user's own has none, such as that of `<NAME/...>`.
    fn own_folder(&self, _name: &str) -> Option<&str> {
        None
    }
    /// Fetches; the attributes of the result (`outPath` is the store path).
    fn fetch(&self, request: &FetchRequest) -> WorldResult<Vec<(String, FetchValue)>>;
    /// Shows what `builtins.trace` says.
    fn trace(&self, text: &str);
    /// Shows a warning.
    fn warn(&self, diagnostic: &Diagnostic);
}
