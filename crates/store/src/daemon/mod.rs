//! The store of a machine that many users share, through its daemon: the worker protocol, as a client.
//!
//! Questions and answers are those of Nix's `worker-protocol.hh`. A connection is used by one thread at a time; each
//! thread that finds none takes a new one.

mod connection;
mod wire;

use crate::PathInfo;
use crate::error::Error;
use crate::remote_error::RemoteError;
use crate::stores::{Store, Trust};
use connection::{Connection, Refusal};
use nival_store_model::nar::Decoder;
use nival_store_model::{Algorithm, Hash, StoreDir, StorePath};
use std::collections::{BTreeSet, VecDeque};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use wire::{ReadWire as _, WriteWire as _};

/// The questions that are asked.
mod operation {
    pub(super) const BUILD_PATHS: u64 = 9;
    pub(super) const ADD_TEMPORARY_ROOT: u64 = 11;
    pub(super) const ALL_VALID_PATHS: u64 = 23;
    pub(super) const PATH_INFO: u64 = 26;
    pub(super) const PATH_FROM_HASH_PART: u64 = 29;
    pub(super) const VALID_PATHS: u64 = 31;
    pub(super) const ADD_SIGNATURES: u64 = 37;
    pub(super) const NAR_FROM_PATH: u64 = 38;
    pub(super) const ADD_TO_STORE_NAR: u64 = 39;
    pub(super) const ADD_BUILD_LOG: u64 = 45;
}

/// A store behind a daemon.
pub struct Daemon {
    socket: PathBuf,
    dir: StoreDir,
    settings: Vec<(String, String)>,
    /// Connections that nobody uses at the moment.
    free: Mutex<Vec<Connection>>,
    version: String,
    trusts_us: Option<bool>,
}

impl Daemon {
    /// Connects to a daemon; the settings are those of nix.conf that it is asked to use for this client.
    ///
    /// # Errors
    /// [`RemoteError::Daemon`].
    pub fn connect(socket: &Path, dir: &StoreDir, settings: Vec<(String, String)>) -> Result<Self, Error> {
        let failed = |refusal| of(socket, refusal);
        let connection = Connection::open(socket, &settings).map_err(failed)?;
        Ok(Self {
            socket: socket.to_owned(),
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
        Connection::open(&self.socket, &self.settings).map_err(|refusal| of(&self.socket, refusal))
    }

    /// Asks something. The connection is kept where it is of further use.
    fn ask<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T, Refusal>) -> Result<T, Error> {
        let mut connection = self.take()?;
        let result = work(&mut connection);
        if !matches!(result, Err(Refusal::Broken(_))) {
            self.free().push(connection);
        }
        result.map_err(|refusal| of(&self.socket, refusal))
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

    /// Lets the daemon build: each is a path, or `DRV!OUTPUTS` with `*` for all. `line` hears what is said meanwhile.
    ///
    /// # Errors
    /// [`RemoteError::Daemon`] with what the daemon says of a build that fails.
    pub fn build_paths(&self, wanted: &[String], line: &mut dyn FnMut(&str)) -> Result<(), Error> {
        self.ask(|to| {
            to.output.put(operation::BUILD_PATHS)?;
            to.output.put_texts(wanted.iter().map(String::as_str))?;
            to.output.put(0)?;
            to.finish(line)?;
            to.input.number()?;
            Ok(())
        })
    }

    /// Keeps a path from being collected while one of the connections lives.
    ///
    /// # Errors
    /// [`RemoteError::Daemon`].
    pub fn temp_root(&self, path: &StorePath) -> Result<(), Error> {
        self.ask(|to| {
            to.output.put(operation::ADD_TEMPORARY_ROOT)?;
            to.output.put_text(&self.dir.print(path))?;
            to.finish(&mut |_| {})?;
            to.input.number()?;
            Ok(())
        })
    }

    fn read_info(&self, from: &mut Connection, path: &StorePath) -> Result<PathInfo, Refusal> {
        let wrong = |text: String| Refusal::Broken(io::Error::new(io::ErrorKind::InvalidData, text));
        let deriver = from.input.text()?;
        let hash = Hash::parse(&from.input.text()?, Some(Algorithm::Sha256));
        let mut info = PathInfo::new(path.clone(), hash.map_err(|error| wrong(error.to_string()))?, 0);
        info.deriver = if deriver.is_empty() { None } else { Some(self.parse(&deriver)?) };
        info.references = self.parse_all(from.input.texts()?)?;
        info.registered = from.input.number()?.cast_signed();
        info.nar_size = from.input.number()?;
        info.ultimate = from.input.flag()?;
        info.signatures = from.input.texts()?.into_iter().collect();
        let address = from.input.text()?;
        if !address.is_empty() {
            let parsed = address.parse();
            info.content_address = Some(
                parsed.map_err(|error: nival_store_model::ContentAddressError| wrong(error.to_string()))?,
            );
        }
        Ok(info)
    }
}

impl Store for Daemon {
    fn url(&self) -> String {
        match self.socket == Path::new(DEFAULT_SOCKET) {
            true => "daemon".to_owned(),
            false => format!("unix://{}", self.socket.display()),
        }
    }

    fn dir(&self) -> &StoreDir {
        &self.dir
    }

    fn info(&self, path: &StorePath) -> Result<Option<PathInfo>, Error> {
        self.ask(|to| {
            to.output.put(operation::PATH_INFO)?;
            to.output.put_text(&self.dir.print(path))?;
            to.finish(&mut |_| {})?;
            if to.input.flag()? { self.read_info(to, path).map(Some) } else { Ok(None) }
        })
    }

    fn nar(&self, path: &StorePath) -> Result<Box<dyn Read + '_>, Error> {
        let mut connection = self.take()?;
        let asked = (|| {
            connection.output.put(operation::NAR_FROM_PATH)?;
            connection.output.put_text(&self.dir.print(path))?;
            connection.finish(&mut |_| {})
        })();
        asked.map_err(|refusal| of(&self.socket, refusal))?;
        let passed = Arc::new(Mutex::default());
        let tee = Tee { connection, passed: Arc::clone(&passed) };
        Ok(Box::new(Archive { daemon: self, decoder: Some(Decoder::new(tee)), passed }))
    }

    fn add(&self, info: &PathInfo, nar: &mut dyn Read, trust: &Trust, from: &str) -> Result<(), Error> {
        if !trust.accepts(&self.dir, info) {
            let (url, path) = (from.to_owned(), self.dir.print(&info.path));
            return Err(RemoteError::Untrusted { url, path }.into());
        }
        self.ask(|to| {
            to.output.put(operation::ADD_TO_STORE_NAR)?;
            to.output.put_text(&self.dir.print(&info.path))?;
            to.output
                .put_text(&info.deriver.as_ref().map_or_else(String::new, |path| self.dir.print(path)))?;
            to.output.put_text(&info.nar_hash.base16())?;
            to.output.put_texts(self.printed(&info.references).iter().map(String::as_str))?;
            to.output.put(0)?;
            to.output.put(info.nar_size)?;
            to.output.put(0)?;
            to.output.put_texts(info.signatures.iter().map(String::as_str))?;
            let address = info.content_address.as_ref().map(ToString::to_string);
            to.output.put_text(&address.unwrap_or_default())?;
            to.output.put(0)?;
            // Whether it checks signatures itself; only users whom it trusts can tell it not to.
            to.output.put(u64::from(!trust.required))?;
            let sent = to.send_frames(nar);
            match to.finish(&mut |_| {}) {
                Ok(()) => Ok(sent?),
                Err(refusal) => Err(refusal),
            }
        })
    }

    fn all(&self) -> Result<Vec<StorePath>, Error> {
        self.ask(|to| {
            to.output.put(operation::ALL_VALID_PATHS)?;
            to.finish(&mut |_| {})?;
            let texts = to.input.texts()?;
            self.parse_all(texts)
        })
    }

    fn path_of_hash_part(&self, hash_part: &str) -> Result<Option<StorePath>, Error> {
        self.ask(|to| {
            to.output.put(operation::PATH_FROM_HASH_PART)?;
            to.output.put_text(hash_part)?;
            to.finish(&mut |_| {})?;
            let text = to.input.text()?;
            if text.is_empty() { Ok(None) } else { self.parse(&text).map(Some) }
        })
    }

    fn add_signatures(&self, path: &StorePath, signatures: &BTreeSet<String>) -> Result<(), Error> {
        self.ask(|to| {
            to.output.put(operation::ADD_SIGNATURES)?;
            to.output.put_text(&self.dir.print(path))?;
            to.output.put_texts(signatures.iter().map(String::as_str))?;
            to.finish(&mut |_| {})?;
            to.input.number()?;
            Ok(())
        })
    }

    fn log(&self, _derivation: &StorePath) -> Result<Option<Vec<u8>>, Error> {
        // The protocol has no question for it; logs lie on the disk of the daemon's machine.
        Ok(None)
    }

    fn add_log(&self, derivation: &StorePath, text: &[u8]) -> Result<(), Error> {
        self.ask(|to| {
            to.output.put(operation::ADD_BUILD_LOG)?;
            to.output.put_text(derivation.base_name())?;
            to.send_frames(&mut &*text)?;
            to.finish(&mut |_| {})?;
            to.input.number()?;
            Ok(())
        })
    }

    fn version(&self) -> Option<String> {
        Some(self.version.clone())
    }

    fn trusts_client(&self) -> Option<bool> {
        self.trusts_us
    }

    fn valid_among(&self, paths: &[StorePath]) -> Result<BTreeSet<StorePath>, Error> {
        self.ask(|to| {
            to.output.put(operation::VALID_PATHS)?;
            to.output.put_texts(self.printed(paths).iter().map(String::as_str))?;
            to.output.put(0)?;
            to.finish(&mut |_| {})?;
            let texts = to.input.texts()?;
            Ok(self.parse_all(texts)?.into_iter().collect())
        })
    }
}

/// Where the daemon of a machine listens.
pub const DEFAULT_SOCKET: &str = "/nix/var/nix/daemon-socket/socket";

fn of(socket: &Path, refusal: Refusal) -> Error {
    let reason = match refusal {
        Refusal::Broken(error) => error.to_string(),
        Refusal::Said(text) => text,
    };
    RemoteError::Daemon { place: socket.display().to_string(), reason }.into()
}

/// What comes over a connection, kept as it passes.
struct Tee {
    connection: Connection,
    passed: Arc<Mutex<VecDeque<u8>>>,
}

impl Read for Tee {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.connection.input.read(buffer)?;
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).extend(&buffer[..count]);
        Ok(count)
    }
}

/// An archive that comes over a connection, whose end nothing but its own form tells.
struct Archive<'a> {
    daemon: &'a Daemon,
    /// Gone when the archive has ended; then the connection is free again.
    decoder: Option<Decoder<Tee>>,
    passed: Arc<Mutex<VecDeque<u8>>>,
}

impl Archive<'_> {
    /// Reads on by one step of the form, or a piece of contents.
    fn step(&mut self) -> io::Result<()> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let mut buffer = [0; 1 << 14];
        if decoder.contents().read(&mut buffer)? == 0
            && decoder.next()?.is_none()
            && let Some(decoder) = self.decoder.take()
        {
            self.daemon.free().push(decoder.into_inner().connection);
        }
        Ok(())
    }
}

impl Read for Archive<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.passed.lock().unwrap_or_else(PoisonError::into_inner).read(buffer)?;
            if count > 0 || buffer.is_empty() || self.decoder.is_none() {
                return Ok(count);
            }
            self.step()?;
        }
    }
}
