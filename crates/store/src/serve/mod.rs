//! A store behind `nix-store --serve`, which `ssh://` means: the protocol of Nix's older programs, as a client.

use crate::PathInfo;
use crate::daemon::{Archive, Channel, Connected, Way};
use crate::error::Error;
use crate::protocol::{
    BuildResult, BuildStatus, ResultForm, known, put_derivation, put_info, put_path, put_paths, read_paths,
    read_result,
};
use crate::remote_error::RemoteError;
use crate::stores::{RemoteBuilder, Store, Trust};
use crate::wire::{ReadWire as _, WriteWire as _};
use nival_store_model::{Derivation, Hash, StoreDir, StorePath};
use std::collections::BTreeSet;
use std::io::{self, Read, Write as _};
use std::sync::{Mutex, PoisonError};

pub(crate) const CLIENT_MAGIC: u64 = 0x390c_9deb;
pub(crate) const SERVER_MAGIC: u64 = 0x5452_eecb;
/// What is spoken: 2.7.
pub(crate) const VERSION: u64 = 2 << 8 | 7;
/// The oldest that is understood.
const OLDEST: u64 = 2 << 8 | 6;

/// The questions of the protocol, by Nix's numbers.
pub(crate) mod operation {
    pub(crate) const VALID_PATHS: u64 = 1;
    pub(crate) const PATH_INFOS: u64 = 2;
    pub(crate) const DUMP_PATH: u64 = 3;
    pub(crate) const IMPORT_PATHS: u64 = 4;
    pub(crate) const BUILD_PATHS: u64 = 6;
    pub(crate) const CLOSURE: u64 = 7;
    pub(crate) const BUILD_DERIVATION: u64 = 8;
    pub(crate) const ADD_TO_STORE_NAR: u64 = 9;
}

/// The form of results.
pub(crate) const FORM: ResultForm = ResultForm { has_times: false };

/// A store behind `nix-store --serve`.
pub struct Served {
    way: Way,
    dir: StoreDir,
    /// Limits of builds: seconds of silence, seconds, bytes of the log.
    limits: [u64; 3],
    keep_failed: bool,
    free: Mutex<Vec<Connection>>,
}

struct Connection {
    channel: Channel,
    version: u64,
}

impl Connected for Connection {
    fn channel(&mut self) -> &mut Channel {
        &mut self.channel
    }
}

impl Connection {
    fn open(way: &Way) -> io::Result<Self> {
        let mut channel = way.open()?;
        channel.output.put(CLIENT_MAGIC)?;
        channel.output.put(VERSION)?;
        channel.output.flush()?;
        if channel.input.number()? != SERVER_MAGIC {
            return Err(io::Error::other("it is no `nix-store --serve`"));
        }
        let theirs = channel.input.number()?;
        if theirs >> 8 != 2 || theirs < OLDEST {
            let text = format!("it speaks version {}.{} of the protocol", theirs >> 8, theirs & 0xff);
            return Err(io::Error::other(text));
        }
        Ok(Self { channel, version: theirs.min(VERSION) })
    }
}

impl Served {
    /// Connects to a store; of the settings those that limit builds count.
    ///
    /// # Errors
    /// [`RemoteError::Daemon`].
    pub fn reach(way: Way, dir: &StoreDir, settings: &[(String, String)]) -> Result<Self, Error> {
        let of = |name: &str| settings.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
        let number = |name: &str| of(name).and_then(|value| value.parse().ok()).unwrap_or(0);
        let limits = ["max-silent-time", "timeout", "max-build-log-size"].map(number);
        let keep_failed = of("keep-failed").is_some_and(|value| value == "true");
        let store = Self { way, dir: dir.clone(), limits, keep_failed, free: Mutex::default() };
        let first = Connection::open(&store.way).map_err(|error| store.failed(&error))?;
        store.put_back(first);
        Ok(store)
    }

    fn failed(&self, error: &io::Error) -> Error {
        RemoteError::Daemon { place: self.way.place(), reason: crate::daemon::broken(error) }.into()
    }

    fn put_back(&self, connection: Connection) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }

    fn take(&self) -> io::Result<Connection> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.map_or_else(|| Connection::open(&self.way), Ok)
    }

    /// Asks something. A connection on which something went wrong is given up.
    fn ask<T>(&self, work: impl FnOnce(&mut Connection) -> io::Result<T>) -> Result<T, Error> {
        let result = self.take().and_then(|mut connection| {
            let answer = work(&mut connection)?;
            self.put_back(connection);
            Ok(answer)
        });
        result.map_err(|error| self.failed(&error))
    }

    fn ask_valid(&self, paths: &[StorePath], substitute: bool) -> Result<BTreeSet<StorePath>, Error> {
        self.ask(|to| {
            let output = &mut to.channel.output;
            output.put(operation::VALID_PATHS)?;
            output.put(0)?;
            output.put(u64::from(substitute))?;
            put_paths(output, &self.dir, paths)?;
            output.flush()?;
            Ok(read_paths(&mut to.channel.input, &self.dir)?.into_iter().collect())
        })
    }

    fn put_limits(&self, to: &mut Connection) -> io::Result<()> {
        for limit in self.limits {
            to.channel.output.put(limit)?;
        }
        // How often it is repeated, and whether differences matter then.
        to.channel.output.put(0)?;
        to.channel.output.put(0)?;
        if to.version >= (2 << 8 | 7) {
            to.channel.output.put(u64::from(self.keep_failed))?;
        }
        to.channel.output.flush()
    }

    fn read_info(&self, from: &mut Connection, path: StorePath) -> io::Result<PathInfo> {
        let wrong = |text: String| io::Error::new(io::ErrorKind::InvalidData, text);
        let input = &mut from.channel.input;
        let deriver = known(&input.text()?, |text| self.dir.parse(text))?;
        let references = read_paths(&mut *input, &self.dir)?;
        input.number()?;
        let size = input.number()?;
        let hash = Hash::parse(&input.text()?, None).map_err(|error| wrong(error.to_string()))?;
        let content_address = known(&input.text()?, str::parse)?;
        let mut info = PathInfo { deriver, content_address, ..PathInfo::new(path, hash, size) };
        info.signatures = input.texts()?.into_iter().collect();
        info.references = references;
        info.references.sort();
        Ok(info)
    }
}

impl Store for Served {
    fn url(&self) -> String {
        self.way.url()
    }

    fn dir(&self) -> &StoreDir {
        &self.dir
    }

    fn info(&self, path: &StorePath) -> Result<Option<PathInfo>, Error> {
        self.ask(|to| {
            to.channel.output.put(operation::PATH_INFOS)?;
            put_paths(&mut to.channel.output, &self.dir, [path])?;
            to.channel.output.flush()?;
            let mut found = None;
            loop {
                let name = to.channel.input.text()?;
                if name.is_empty() {
                    return Ok(found);
                }
                found = Some(self.read_info(to, path.clone())?);
            }
        })
    }

    fn nar(&self, path: &StorePath) -> Result<Box<dyn Read + '_>, Error> {
        let mut connection = self.take().map_err(|error| self.failed(&error))?;
        let asked = (|| {
            connection.channel.output.put(operation::DUMP_PATH)?;
            put_path(&mut connection.channel.output, &self.dir, Some(path))?;
            connection.channel.output.flush()
        })();
        asked.map_err(|error| self.failed(&error))?;
        Ok(Box::new(Archive::new(connection, |connection| self.put_back(connection))))
    }

    /// Whether a signature is there is nothing that the other side asks for, or could be told.
    fn add(&self, info: &PathInfo, nar: &mut dyn Read, _trust: &Trust, _from: &str) -> Result<(), Error> {
        self.ask(|to| {
            let output = &mut to.channel.output;
            output.put(operation::ADD_TO_STORE_NAR)?;
            put_path(output, &self.dir, Some(&info.path))?;
            // When it was registered, and whether it was built there, is for that store to say.
            put_info(output, &self.dir, &PathInfo { registered: 0, ultimate: false, ..info.clone() })?;
            let sent = io::copy(&mut nar.take(info.nar_size), output)?;
            if sent != info.nar_size {
                return Err(io::Error::other(format!("the archive of `{}` is too short", info.path)));
            }
            output.flush()?;
            match to.channel.input.number()? {
                1 => Ok(()),
                _ => Err(io::Error::other(format!("it did not take `{}`", info.path))),
            }
        })
    }

    fn all(&self) -> Result<Vec<StorePath>, Error> {
        Err(self.failed(&io::Error::other("its protocol has no question for all paths; `ssh-ng://` has one")))
    }

    fn path_of_hash_part(&self, _hash_part: &str) -> Result<Option<StorePath>, Error> {
        Err(self.failed(&io::Error::other(
            "its protocol has no question for parts of names; `ssh-ng://` has one",
        )))
    }

    fn add_signatures(&self, _path: &StorePath, _signatures: &BTreeSet<String>) -> Result<(), Error> {
        Err(self.failed(&io::Error::other("its protocol adds no signatures; that of `ssh-ng://` does")))
    }

    fn log(&self, _derivation: &StorePath) -> Result<Option<Vec<u8>>, Error> {
        Ok(None)
    }

    fn add_log(&self, _derivation: &StorePath, _text: &[u8]) -> Result<(), Error> {
        Err(self.failed(&io::Error::other("its protocol adds no logs; that of `ssh-ng://` does")))
    }

    fn valid_among(&self, paths: &[StorePath]) -> Result<BTreeSet<StorePath>, Error> {
        self.ask_valid(paths, false)
    }

    fn builder(&self) -> Option<&dyn RemoteBuilder> {
        Some(self)
    }
}

impl RemoteBuilder for Served {
    fn build(&self, wanted: &[String], _line: &mut dyn FnMut(&str)) -> Result<Vec<BuildResult>, Error> {
        let failure = self.ask(|to| {
            to.channel.output.put(operation::BUILD_PATHS)?;
            // A derivation without a word of its outputs means all of them there.
            to.channel.output.put_texts(wanted.iter().map(|text| text.trim_end_matches("!*")))?;
            self.put_limits(to)?;
            match to.channel.input.number()? {
                0 => Ok(None),
                _ => Ok(Some(to.channel.input.text()?)),
            }
        })?;
        // It tells of all at once.
        let one = match failure {
            None => BuildResult { status: BuildStatus::Built, message: String::new(), outputs: Vec::new() },
            Some(message) => BuildResult::failed(BuildStatus::Failed, message),
        };
        Ok(vec![one; wanted.len()])
    }

    fn substitute(&self, paths: &[StorePath]) -> Result<(), Error> {
        self.ask_valid(paths, true).map(drop)
    }

    fn build_derivation(
        &self,
        path: &StorePath,
        derivation: &Derivation,
        _line: &mut dyn FnMut(&str),
    ) -> Result<BuildResult, Error> {
        self.ask(|to| {
            to.channel.output.put(operation::BUILD_DERIVATION)?;
            put_path(&mut to.channel.output, &self.dir, Some(path))?;
            put_derivation(&mut to.channel.output, &self.dir, derivation)?;
            self.put_limits(to)?;
            read_result(&mut to.channel.input, FORM)
        })
    }
}
