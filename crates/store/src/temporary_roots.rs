//! Temporary roots: what this process works with and no collector may take.
//!
//! A file `temproots/PID` of the state folder lists them, each ended by a zero byte, and its lock is held while the
//! process lives. While a collector runs (it holds `gc.lock`), a path is told to it through its socket as well. All of
//! this is shared with C++ Nix.

use crate::LocalStore;
use crate::error::{Doing as _, Error};
use nival_store_model::StorePath;
use nival_sys::fs as sys;
use nival_sys::lock::{self, Kind};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// The temporary roots of this process in one store.
pub(crate) struct TemporaryRoots {
    state: PathBuf,
    open: Mutex<Option<Open>>,
}

struct Open {
    file: File,
    name: PathBuf,
    /// `gc.lock`: held shared while a root is written.
    collector: File,
    socket: Option<UnixStream>,
    known: HashSet<StorePath>,
}

/// One list for each state folder: a file belongs to a process, however many stores it opened there.
static ALL: Mutex<Option<HashMap<PathBuf, Weak<TemporaryRoots>>>> = Mutex::new(None);

impl TemporaryRoots {
    /// The list of this process for a state folder.
    pub(crate) fn of(state: &Path) -> Arc<Self> {
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        let all = all.get_or_insert_default();
        if let Some(known) = all.get(state).and_then(Weak::upgrade) {
            return known;
        }
        let new = Arc::new(Self { state: state.to_owned(), open: Mutex::new(None) });
        all.insert(state.to_owned(), Arc::downgrade(&new));
        new
    }

    /// Does something with the list, whose file is made at the first call.
    fn with<T>(&self, work: impl FnOnce(&mut Open) -> Result<T, Error>) -> Result<T, Error> {
        let mut guard = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *guard {
            Some(open) => work(open),
            none => work(none.insert(Open::new(&self.state)?)),
        }
    }

    /// Adds a path, given with its text in the logical directory, and does something that no collector may begin
    /// before. A path that is known is told again to one that runs: it may have begun since.
    fn add<T>(
        &self,
        path: &StorePath,
        printed: String,
        work: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.with(|open| {
            let held = open.announce(&self.state, &printed)?;
            let done = open.write(&[(path.clone(), printed)]).and_then(|()| work());
            if held {
                open.release()?;
            }
            done
        })
    }

    /// Adds paths as [`Self::add`] does; while no collector runs all of them by one call.
    fn add_all(&self, paths: &[(StorePath, String)]) -> Result<(), Error> {
        self.with(|open| {
            for (at, (_, printed)) in paths.iter().enumerate() {
                if open.announce(&self.state, printed)? {
                    let written = open.write(&paths[at..]);
                    open.release()?;
                    return written;
                }
                open.write(&paths[at..=at])?;
            }
            Ok(())
        })
    }
}

impl Drop for TemporaryRoots {
    fn drop(&mut self) {
        if let Some(open) = self.open.get_mut().unwrap_or_else(PoisonError::into_inner) {
            let _ = sys::remove_file(&open.name);
        }
    }
}

impl Open {
    fn new(state: &Path) -> Result<Self, Error> {
        let folder = state.join("temproots");
        let name = folder.join(std::process::id().to_string());
        let doing = || format!("write `{}`", name.display());
        sys::create_dir_all(&folder).doing(doing)?;
        let file = loop {
            // No other process has this number, so whoever wrote it is gone.
            sys::remove_file(&name).doing(doing)?;
            let file = sys::open_private(&name).doing(doing)?;
            lock::take(&file, Kind::Exclusive, true).doing(doing)?;
            // A collector that removed it before it was locked left a letter in it.
            if file.metadata().doing(doing)?.len() == 0 {
                break file;
            }
        };
        let collector = sys::open_private(&state.join("gc.lock")).doing(doing)?;
        Ok(Self { file, name, collector, socket: None, known: HashSet::new() })
    }

    /// Keeps collectors from beginning, and says `true`; or tells one that runs of a root.
    fn announce(&mut self, state: &Path, printed: &str) -> Result<bool, Error> {
        let doing = || format!("keep `{printed}` from being collected");
        loop {
            if lock::take(&self.collector, Kind::Shared, false).doing(doing)? {
                return Ok(true);
            }
            match self.tell(&state.join("gc-socket/socket"), printed) {
                Ok(()) => return Ok(false),
                Err(error) if is_gone(&error) => {
                    self.socket = None;
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => return Err(error).doing(doing),
            }
        }
    }

    fn release(&self) -> Result<(), Error> {
        lock::release(&self.collector).doing(|| "release the collector's lock".to_owned())
    }

    /// Writes those that are not known.
    fn write(&mut self, roots: &[(StorePath, String)]) -> Result<(), Error> {
        self.known.reserve(roots.len());
        let new: Vec<_> = roots.iter().filter(|(path, _)| self.known.insert(path.clone())).collect();
        let Some((_, first)) = new.first() else { return Ok(()) };
        let mut text = String::with_capacity(new.iter().map(|(_, printed)| printed.len() + 1).sum());
        for (_, printed) in &new {
            text.push_str(printed);
            text.push('\0');
        }
        let written = self.file.write_all(text.as_bytes());
        if written.is_err() {
            for (path, _) in &new {
                self.known.remove(path);
            }
        }
        written.doing(|| format!("keep `{first}` from being collected"))
    }

    fn tell(&mut self, socket: &Path, printed: &str) -> io::Result<()> {
        let stream = match &mut self.socket {
            Some(stream) => stream,
            none => none.insert(nival_sys::socket::connect(socket)?),
        };
        stream.write_all(format!("{printed}\n").as_bytes())?;
        let mut answer = [0];
        stream.read_exact(&mut answer)
    }
}

/// Whether an error says that the collector ended, or has not opened its socket yet.
fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionRefused
            | Kind::NotFound
            | Kind::BrokenPipe
            | Kind::ConnectionReset
            | Kind::UnexpectedEof
    )
}

impl LocalStore {
    /// Keeps a path from being collected while this process has the store open; it need not be valid yet.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn temp_root(&self, path: &StorePath) -> Result<(), Error> {
        if self.config().settings.read_only {
            return Ok(());
        }
        self.temporary_roots().add(path, self.dir().print(path), || Ok(()))
    }

    /// As [`Self::temp_root`] for many paths.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn temp_roots(&self, paths: &[StorePath]) -> Result<(), Error> {
        if self.config().settings.read_only {
            return Ok(());
        }
        let printed: Vec<_> = paths.iter().map(|path| (path.clone(), self.dir().print(path))).collect();
        self.temporary_roots().add_all(&printed)
    }

    /// As [`Self::temp_root`], and does something that no collector may begin before, such as making a lasting root.
    pub(crate) fn rooting<T>(
        &self,
        path: &StorePath,
        work: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.write_pending()?;
        self.temporary_roots().add(path, self.dir().print(path), work)
    }
}
