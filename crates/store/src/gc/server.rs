//! The collector's socket: programs at work tell it of new temporary roots while it runs.
//!
//! A program writes one path a line and waits for the answer `1`. While a path is being removed, the answer waits until
//! that is done, so that nobody makes it again under the collector's hands.

use crate::error::{Doing as _, Error};
use nival_store_model::StoreDir;
use nival_sys::socket;
use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What the collector and its clients share.
#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    removed: Condvar,
}

#[derive(Default)]
struct State {
    /// Hash parts of the roots that came and were not looked at yet.
    new: Vec<String>,
    /// Hash parts of all temporary roots.
    known: HashSet<String>,
    /// Hash parts of the paths that are being removed.
    condemned: HashSet<String>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds roots that were known before any client came.
    pub(super) fn add(&self, hash_parts: impl IntoIterator<Item = String>) {
        self.state().known.extend(hash_parts);
    }

    /// Whether a temporary root has this hash part; whatever is behind the name (`.lock`) does not matter.
    pub(super) fn is_root(&self, hash_part: &str) -> bool {
        self.state().known.contains(hash_part)
    }

    /// With nobody in between, condemns what `choose` says; it is told the roots that came since the last call, and all
    /// of them.
    pub(super) fn condemn<T>(
        &self,
        choose: impl FnOnce(Vec<String>, &HashSet<String>) -> (T, Vec<String>),
    ) -> T {
        let mut state = self.state();
        let new = std::mem::take(&mut state.new);
        let (result, condemned) = choose(new, &state.known);
        state.condemned.extend(condemned);
        result
    }

    /// Says that paths are gone.
    pub(super) fn release<'a>(&self, hash_parts: impl Iterator<Item = &'a str>) {
        let mut state = self.state();
        for hash_part in hash_parts {
            state.condemned.remove(hash_part);
        }
        self.removed.notify_all();
    }

    fn welcome(&self, hash_part: &str) {
        let mut state = self.state();
        if state.known.insert(hash_part.to_owned()) {
            state.new.push(hash_part.to_owned());
        }
        while state.condemned.contains(hash_part) {
            state = self.removed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The socket while it is open.
pub(super) struct Server {
    listener: UnixListener,
    accepting: Option<std::thread::JoinHandle<()>>,
    streams: Arc<Streams>,
}

/// The connections that are open; `None` once no more are taken.
type Streams = Mutex<Option<Vec<UnixStream>>>;

impl Server {
    /// Opens the socket and answers in threads of its own.
    pub(super) fn start(path: &Path, dir: &StoreDir, shared: &Arc<Shared>) -> Result<Self, Error> {
        let doing = || format!("listen at `{}`", path.display());
        if let Some(folder) = path.parent() {
            nival_sys::fs::create_dir_all(folder).doing(doing)?;
        }
        let listener = socket::listen_for_all(path).doing(doing)?;
        let accepted = listener.try_clone().doing(doing)?;
        let streams = Arc::new(Mutex::new(Some(Vec::new())));
        let (open, dir, shared) = (Arc::clone(&streams), dir.clone(), Arc::clone(shared));
        let accepting = std::thread::spawn(move || {
            let mut clients = Vec::new();
            while let Ok((stream, _)) = accepted.accept() {
                let Ok(copy) = stream.try_clone() else { continue };
                match &mut *open.lock().unwrap_or_else(PoisonError::into_inner) {
                    Some(open) => open.push(copy),
                    None => break,
                }
                let (dir, shared) = (dir.clone(), Arc::clone(&shared));
                clients.push(std::thread::spawn(move || answer(&stream, &dir, &shared)));
            }
            for client in clients {
                let _ = client.join();
            }
        });
        Ok(Self { listener, accepting: Some(accepting), streams })
    }
}

impl Drop for Server {
    /// Closes the socket and waits for the threads.
    fn drop(&mut self) {
        let _ = socket::stop_listening(&self.listener);
        let open = self.streams.lock().unwrap_or_else(PoisonError::into_inner).take();
        for stream in open.into_iter().flatten() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn answer(mut stream: &UnixStream, dir: &StoreDir, shared: &Shared) {
    let Ok(copy) = stream.try_clone() else { return };
    for line in BufReader::new(copy).lines() {
        let Ok(line) = line else { return };
        // What is no path is answered as well, or its sender would wait for ever.
        if let Ok(path) = dir.parse(&line) {
            shared.welcome(path.hash_part());
        }
        if stream.write_all(b"1").is_err() {
            return;
        }
    }
}
