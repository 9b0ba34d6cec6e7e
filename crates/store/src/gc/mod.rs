//! The garbage collector: removes what no root leads to.
//!
//! It holds `gc.lock` alone while it works, and listens at a socket for what programs at work need meanwhile, as C++ Nix
//! does, so that both can use one store. What is alive is found on one graph of numbers that is read in one pass;
//! dead paths are taken out of the database many at a time, those that refer to others first, and their files are
//! removed by two threads while the next ones are taken out.

mod collect;
mod graph;
mod remove;
mod roots;
mod runtime;
mod server;
mod single;

pub use roots::{Root, RootSource};

use nival_store_model::StorePath;
use std::path::{Path, PathBuf};

/// What a collection does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GcAction {
    /// Removes all that is dead.
    #[default]
    Delete,
    /// Says what is alive.
    Live,
    /// Says what is dead.
    Dead,
}

/// How a collection is done.
#[derive(Clone, Debug, Default)]
pub struct GcOptions {
    /// What it does.
    pub action: GcAction,
    /// It stops when so many bytes are free; `None` for no limit.
    pub max_freed: Option<u64>,
    /// Roots that the caller knows of.
    pub roots: Vec<Root>,
    /// Files that are read before the socket opens and after the roots are found, for tests of what happens between.
    pub pauses: [Option<PathBuf>; 2],
}

/// What a collection came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GcResult {
    /// The names of paths: those that were removed, are dead, or are alive. Also files of the store that are no paths.
    pub names: Vec<String>,
    /// Bytes that were freed.
    pub bytes: u64,
    /// Bytes that equal files share, as far as the links tell.
    pub shared: u64,
}

/// What a collector reports while it works.
#[derive(Debug)]
pub enum GcEvent<'a> {
    /// Another collector works; it is waited for.
    Waiting,
    /// Roots are looked for.
    FindingRoots,
    /// What is alive is found out, or removing begins.
    Begin(&'a GcAction),
    /// An entry of the store is removed.
    Deleting(&'a str),
    /// Enough is free.
    Enough(u64),
    /// Links that nothing has in common any more are removed.
    UnusedLinks,
    /// A link led nowhere and was removed.
    StaleLink(&'a Path, &'a Path),
    /// A program's list of temporary roots stayed behind and was removed.
    StaleTemporary(&'a Path),
    /// A root leads to a path that is not valid.
    InvalidRoot(&'a Path, &'a Path),
    /// A root cannot be looked at.
    Unreadable(&'a Path),
}

/// How single paths are deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Roots but the temporary ones do not count.
    pub ignore_liveness: bool,
}

/// Why a path cannot be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alive {
    /// It is a root, or a root leads to it.
    Root(Root),
    /// Another path needs it.
    Needed(StorePath),
}
