//! The store of a machine that many users share, through its daemon, here or behind ssh: the worker protocol, as a client.
//!
//! Questions and answers are those of Nix's `worker-protocol.hh`. A connection is used by one thread at a time; each
//! thread that finds none takes a new one.

mod archive;
mod building;
mod channel;
mod connection;

pub(crate) use archive::Archive;
pub use channel::Way;
pub(crate) use channel::{Channel, Connected};

use crate::PathInfo;
use crate::error::Error;
use crate::protocol::{put_info, read_info};
use crate::remote_error::RemoteError;
use crate::stores::{RemoteBuilder, Store, Trust};
use crate::wire::{ReadWire as _, WriteWire as _};
use connection::{Connection, Refusal};
use nival_store_model::{StoreDir, StorePath};
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

pub(crate) const CLIENT_MAGIC: u64 = 0x6e69_7863;
pub(crate) const SERVER_MAGIC: u64 = 0x6478_696f;
/// What is spoken: 1.37, as Nix since 2.20 does.
pub(crate) const VERSION: u64 = 1 << 8 | 37;

/// Messages between a question and its answer.
pub(crate) mod message {
    pub(crate) const NEXT: u64 = 0x6f6c_6d67;
    pub(crate) const READ: u64 = 0x6461_7461;
    pub(crate) const WRITE: u64 = 0x6461_7416;
    pub(crate) const LAST: u64 = 0x616c_7473;
    pub(crate) const ERROR: u64 = 0x6378_7470;
    pub(crate) const START: u64 = 0x5354_5254;
    pub(crate) const STOP: u64 = 0x5354_4f50;
    pub(crate) const RESULT: u64 = 0x5253_4c54;
}

/// The questions of the protocol, by Nix's numbers.
pub(crate) mod operation {
    pub(crate) const IS_VALID: u64 = 1;
    pub(crate) const REFERRERS: u64 = 6;
    pub(crate) const ADD_TO_STORE: u64 = 7;
    pub(crate) const BUILD_PATHS: u64 = 9;
    pub(crate) const ENSURE_PATH: u64 = 10;
    pub(crate) const ADD_TEMPORARY_ROOT: u64 = 11;
    pub(crate) const ADD_INDIRECT_ROOT: u64 = 12;
    pub(crate) const SYNC_WITH_COLLECTOR: u64 = 13;
    pub(crate) const FIND_ROOTS: u64 = 14;
    pub(crate) const SET_OPTIONS: u64 = 19;
    pub(crate) const COLLECT_GARBAGE: u64 = 20;
    pub(crate) const ALL_VALID_PATHS: u64 = 23;
    pub(crate) const PATH_INFO: u64 = 26;
    pub(crate) const PATH_FROM_HASH_PART: u64 = 29;
    pub(crate) const SUBSTITUTABLE_INFOS: u64 = 30;
    pub(crate) const VALID_PATHS: u64 = 31;
    pub(crate) const SUBSTITUTABLE_PATHS: u64 = 32;
    pub(crate) const VALID_DERIVERS: u64 = 33;
    pub(crate) const OPTIMISE: u64 = 34;
    pub(crate) const VERIFY: u64 = 35;
    pub(crate) const BUILD_DERIVATION: u64 = 36;
    pub(crate) const ADD_SIGNATURES: u64 = 37;
    pub(crate) const NAR_FROM_PATH: u64 = 38;
    pub(crate) const ADD_TO_STORE_NAR: u64 = 39;
    pub(crate) const QUERY_MISSING: u64 = 40;
    pub(crate) const DERIVATION_OUTPUTS: u64 = 41;
    pub(crate) const REGISTER_REALISATION: u64 = 42;
    pub(crate) const REALISATION: u64 = 43;
    pub(crate) const ADD_MULTIPLE: u64 = 44;
    pub(crate) const ADD_BUILD_LOG: u64 = 45;
    pub(crate) const BUILD_WITH_RESULTS: u64 = 46;
    pub(crate) const ADD_PERMANENT_ROOT: u64 = 47;
}

/// A store behind a daemon.
pub struct Daemon {
    way: Way,
    dir: StoreDir,
    settings: Option<Vec<(String, String)>>,
    /// Connections that nobody uses at the moment.
    free: Mutex<Vec<Connection>>,
    version: String,
    trusts_us: Option<bool>,
}

impl Daemon {
    /// Connects to the daemon that listens on a socket; the settings are those of nix.conf that it is asked to use for
    /// this client.
    ///
    /// # Errors
    /// [`RemoteError::Daemon`].
    pub fn connect(socket: &Path, dir: &StoreDir, settings: Vec<(String, String)>) -> Result<Self, Error> {
        Self::reach(Way::Socket(socket.to_owned()), dir, Some(settings))
    }

    /// Connects to a daemon by any way. Without settings it goes by its own machine's.
    ///
    /// # Errors
    /// [`RemoteError::Daemon`].
    pub fn reach(way: Way, dir: &StoreDir, settings: Option<Vec<(String, String)>>) -> Result<Self, Error> {
        let failed = |refusal| of(&way, refusal);
        let opened = way.open().map_err(Refusal::from);
        let connection =
            opened.and_then(|channel| Connection::open(channel, settings.as_deref())).map_err(failed)?;
        Ok(Self {
            way,
            dir: dir.clone(),
            settings,
            version: connection.version.clone(),
            trusts_us: connection.trusts_us,
            free: Mutex::new(vec![connection]),
        })
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<Connection, Error> {
        if let Some(connection) = self.free().pop() {
            return Ok(connection);
        }
        let opened = self.way.open().map_err(Refusal::from);
        let opened = opened.and_then(|channel| Connection::open(channel, self.settings.as_deref()));
        opened.map_err(|refusal| of(&self.way, refusal))
    }

    /// Asks something. The connection is kept where it is of further use.
    fn ask<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T, Refusal>) -> Result<T, Error> {
        let mut connection = self.take()?;
        let result = work(&mut connection);
        if !matches!(result, Err(Refusal::Broken(_))) {
            self.free().push(connection);
        }
        result.map_err(|refusal| of(&self.way, refusal))
    }

    fn parse(&self, text: &str) -> Result<StorePath, Refusal> {
        let wrong = |error| Refusal::Broken(io::Error::new(io::ErrorKind::InvalidData, error));
        self.dir.parse(text).map_err(wrong)
    }

    fn parse_all(&self, texts: Vec<String>) -> Result<Vec<StorePath>, Refusal> {
        let mut paths = texts.iter().map(|text| self.parse(text)).collect::<Result<Vec<_>, _>>()?;
        paths.sort();
        Ok(paths)
    }

    fn printed(&self, paths: &[StorePath]) -> Vec<String> {
        paths.iter().map(|path| self.dir.print(path)).collect()
    }

    /// Keeps a path from being collected while one of the connections lives.
    ///
    /// # Errors
    /// [`RemoteError::Daemon`].
    pub fn temp_root(&self, path: &StorePath) -> Result<(), Error> {
        self.ask(|to| {
            to.channel.output.put(operation::ADD_TEMPORARY_ROOT)?;
            to.channel.output.put_text(&self.dir.print(path))?;
            to.finish(&mut |_| {})?;
            to.channel.input.number()?;
            Ok(())
        })
    }
}

impl Store for Daemon {
    fn url(&self) -> String {
        self.way.url()
    }

    fn dir(&self) -> &StoreDir {
        &self.dir
    }

    fn info(&self, path: &StorePath) -> Result<Option<PathInfo>, Error> {
        self.ask(|to| {
            to.channel.output.put(operation::PATH_INFO)?;
            to.channel.output.put_text(&self.dir.print(path))?;
            to.finish(&mut |_| {})?;
            if to.channel.input.flag()? {
                Ok(Some(read_info(&mut to.channel.input, &self.dir, path.clone())?))
            } else {
                Ok(None)
            }
        })
    }

    fn nar(&self, path: &StorePath) -> Result<Box<dyn Read + '_>, Error> {
        let mut connection = self.take()?;
        let asked = (|| {
            connection.channel.output.put(operation::NAR_FROM_PATH)?;
            connection.channel.output.put_text(&self.dir.print(path))?;
            connection.finish(&mut |_| {})
        })();
        asked.map_err(|refusal| of(&self.way, refusal))?;
        Ok(Box::new(Archive::new(connection, |connection| self.free().push(connection))))
    }

    fn add(&self, info: &PathInfo, nar: &mut dyn Read, trust: &Trust, from: &str) -> Result<(), Error> {
        if !trust.accepts(&self.dir, info) {
            let (url, path) = (from.to_owned(), self.dir.print(&info.path));
            return Err(RemoteError::Untrusted { url, path }.into());
        }
        self.ask(|to| {
            to.channel.output.put(operation::ADD_TO_STORE_NAR)?;
            to.channel.output.put_text(&self.dir.print(&info.path))?;
            // When it was registered, and whether it was built there, is for that store to say.
            let said = PathInfo { registered: 0, ultimate: false, ..info.clone() };
            put_info(&mut to.channel.output, &self.dir, &said)?;
            to.channel.output.put(0)?;
            // Whether it checks signatures itself; only users whom it trusts can tell it not to.
            to.channel.output.put(u64::from(!trust.required))?;
            let sent = to.send_frames(nar);
            match to.finish(&mut |_| {}) {
                Ok(()) => Ok(sent?),
                Err(refusal) => Err(refusal),
            }
        })
    }

    fn all(&self) -> Result<Vec<StorePath>, Error> {
        self.ask(|to| {
            to.channel.output.put(operation::ALL_VALID_PATHS)?;
            to.finish(&mut |_| {})?;
            let texts = to.channel.input.texts()?;
            self.parse_all(texts)
        })
    }

    fn path_of_hash_part(&self, hash_part: &str) -> Result<Option<StorePath>, Error> {
        self.ask(|to| {
            to.channel.output.put(operation::PATH_FROM_HASH_PART)?;
            to.channel.output.put_text(hash_part)?;
            to.finish(&mut |_| {})?;
            let text = to.channel.input.text()?;
            if text.is_empty() { Ok(None) } else { self.parse(&text).map(Some) }
        })
    }

    fn add_signatures(&self, path: &StorePath, signatures: &BTreeSet<String>) -> Result<(), Error> {
        self.ask(|to| {
            to.channel.output.put(operation::ADD_SIGNATURES)?;
            to.channel.output.put_text(&self.dir.print(path))?;
            to.channel.output.put_texts(signatures.iter().map(String::as_str))?;
            to.finish(&mut |_| {})?;
            to.channel.input.number()?;
            Ok(())
        })
    }

    fn log(&self, _derivation: &StorePath) -> Result<Option<Vec<u8>>, Error> {
        // The protocol has no question for it; logs lie on the disk of the daemon's machine.
        Ok(None)
    }

    fn add_log(&self, derivation: &StorePath, text: &[u8]) -> Result<(), Error> {
        self.ask(|to| {
            to.channel.output.put(operation::ADD_BUILD_LOG)?;
            to.channel.output.put_text(derivation.base_name())?;
            to.send_frames(&mut &*text)?;
            to.finish(&mut |_| {})?;
            to.channel.input.number()?;
            Ok(())
        })
    }

    fn version(&self) -> Option<String> {
        Some(self.version.clone())
    }

    fn trusts_client(&self) -> Option<bool> {
        self.trusts_us
    }

    fn builder(&self) -> Option<&dyn RemoteBuilder> {
        Some(self)
    }

    fn valid_among(&self, paths: &[StorePath]) -> Result<BTreeSet<StorePath>, Error> {
        self.ask(|to| {
            to.channel.output.put(operation::VALID_PATHS)?;
            to.channel.output.put_texts(self.printed(paths).iter().map(String::as_str))?;
            to.channel.output.put(0)?;
            to.finish(&mut |_| {})?;
            let texts = to.channel.input.texts()?;
            Ok(self.parse_all(texts)?.into_iter().collect())
        })
    }
}

/// A connection that ends early in words.
pub(crate) fn broken(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => {
            "the connection ended before it had answered".to_owned()
        }
        _ => error.to_string(),
    }
}

/// Where the daemon of a machine listens.
pub const DEFAULT_SOCKET: &str = "/nix/var/nix/daemon-socket/socket";

fn of(way: &Way, refusal: Refusal) -> Error {
    let reason = match refusal {
        Refusal::Broken(error) => broken(&error),
        Refusal::Said(text) => text,
    };
    RemoteError::Daemon { place: way.place(), reason }.into()
}
