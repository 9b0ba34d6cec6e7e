//! What a client does with machines: everything goes through the supervisor's socket or the files of the state.

mod delete;
mod enable;
mod image;
mod run;
mod secrets;
mod switch;
mod up;

use crate::compose::Store;
use crate::error::Doing as _;
use crate::supervisor::protocol::{self, Answer, Known, Lines, Publish, Request};
use crate::{Ended, Error, Generation, MachineFolder, names};
use nival_sys::fs;
use serde::{Deserialize, Serialize};
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub(crate) use delete::delete_main;
pub use enable::HostUnit;
pub use run::Program;
pub use up::Up;

/// Where machines lie and how they are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The folder that holds `machines/` and `runtime/`.
    pub data: PathBuf,
    /// The folder that contains `nix/store`.
    pub store: PathBuf,
    /// A folder of this user alone for sockets, which need not outlive a boot; its path must be short (under 60 bytes).
    pub runtime: PathBuf,
}

/// The machines of one data folder.
#[derive(Clone, Debug)]
pub struct Machines {
    config: Config,
}

/// What is known about a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Its name.
    pub name: String,
    /// `running`, `starting`, `stopping` or `down`.
    pub phase: String,
    /// The generation that it runs, or boots next.
    pub generation: Option<u64>,
    /// When it was booted, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Its published ports.
    pub ports: Vec<Publish>,
    /// Its address among the machines of its `up`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<std::net::Ipv4Addr>,
    /// How it reaches the outside, or why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside: Option<String>,
    /// What systemd says about the whole: `running`, `degraded`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The declared units with their state.
    pub units: Vec<UnitStatus>,
    /// The process that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supervisor: Option<u32>,
    /// Why it ended, where nobody asked it to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// Where its data lies.
    pub data: PathBuf,
}

/// The state of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnitStatus {
    /// Its full name.
    pub name: String,
    /// `active`, `inactive`, `failed`, ...
    pub active: String,
    /// The finer state: `running`, `exited`, ...
    pub sub: String,
}

/// How long a new supervisor may take.
const SUCCESSION: Duration = Duration::from_secs(10);

impl Machines {
    /// Works with the machines of a data folder. Nothing is done yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    /// Where things lie.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn folder(&self, name: &str) -> MachineFolder {
        MachineFolder::new(&self.config.data, name)
    }

    pub(crate) fn store(&self) -> Store {
        Store::below(&self.config.store)
    }

    /// The names of all machines that have data, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.config.data.join("machines")).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.retain(|name| names::check_machine(name).is_ok());
        names.sort();
        names
    }

    /// The folder of a machine that has data.
    ///
    /// # Errors
    /// [`Error::UnknownMachine`] with the names that there are.
    pub fn known(&self, name: &str) -> Result<MachineFolder, Error> {
        let folder = self.folder(name);
        if names::check_machine(name).is_ok() && folder.path().is_dir() {
            return Ok(folder);
        }
        Err(Error::UnknownMachine { name: name.to_owned(), known: self.names() })
    }

    /// All generations of a machine, rising.
    ///
    /// # Errors
    /// [`Error::UnknownMachine`].
    pub fn generations(&self, name: &str) -> Result<Vec<Generation>, Error> {
        Ok(self.known(name)?.state().generations())
    }

    /// The store paths that the generations of all machines need: what a collection of garbage must keep.
    #[must_use]
    pub fn generation_paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = self
            .names()
            .iter()
            .flat_map(|name| {
                let state = self.folder(name).state();
                let manifests: Vec<_> =
                    state.numbers().into_iter().filter_map(|n| state.manifest(n).ok()).collect();
                manifests.into_iter().flat_map(|manifest| manifest.store_paths()).collect::<Vec<_>>()
            })
            .collect();
        paths.sort();
        paths.dedup();
        paths
    }

    fn socket(&self, name: &str) -> PathBuf {
        crate::supervisor::record::socket(&self.config.runtime, name)
    }

    /// Connects to the supervisor of a machine; for one that was killed, its successor is waited for.
    pub(crate) fn connect(&self, name: &str) -> Result<UnixStream, Error> {
        let folder = self.known(name)?;
        let end = Instant::now() + SUCCESSION;
        loop {
            if let Ok(stream) = UnixStream::connect(self.socket(name)) {
                return Ok(stream);
            }
            if !folder.is_held() || Instant::now() > end {
                return Err(Error::NotRunning(name.to_owned()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks for something that can be asked for twice: a supervisor that is killed meanwhile has a successor.
    pub(crate) fn ask(&self, name: &str, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<Answer, Error> {
        let end = Instant::now() + SUCCESSION;
        loop {
            match self.ask_once(name, request, fds) {
                Err(Error::Supervisor { .. } | Error::Io { .. }) if Instant::now() < end => {}
                other => return other,
            }
        }
    }

    fn ask_once(&self, name: &str, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<Answer, Error> {
        let stream = self.connect(name)?;
        let doing = || format!("talk to the supervisor of `{name}`");
        protocol::send(&stream, request, fds).doing(doing)?;
        match Lines::new(stream).next::<Answer>().doing(doing)? {
            Some((Answer::Failed(error), _)) => Err(error),
            Some((answer, _)) => Ok(answer),
            None => Err(Error::Supervisor {
                machine: name.to_owned(),
                reason: "it closed the connection".to_owned(),
            }),
        }
    }

    fn running(&self, name: &str) -> Option<Known> {
        match self.ask(name, &Request::Status, &[]) {
            Ok(Answer::Known(known)) => Some(known),
            _ => None,
        }
    }

    /// Whether a machine runs (or starts, or stops) now.
    #[must_use]
    pub fn is_running(&self, name: &str) -> bool {
        self.running(name).is_some()
    }

    /// Whether a machine that does not run ended without being asked to.
    ///
    /// # Errors
    /// [`Error::UnknownMachine`].
    pub fn ended_unasked(&self, name: &str) -> Result<bool, Error> {
        let folder = self.known(name)?;
        Ok(folder.ended().exists()
            || crate::supervisor::record::is_abandoned(&self.config.runtime, &folder, name))
    }

    /// What is known about a machine.
    ///
    /// # Errors
    /// [`Error::UnknownMachine`].
    pub fn status(&self, name: &str) -> Result<Status, Error> {
        let folder = self.known(name)?;
        let state = folder.state();
        let mut status = Status {
            name: name.to_owned(),
            phase: "down".to_owned(),
            generation: state.current(),
            since: None,
            ports: Vec::new(),
            address: None,
            outside: None,
            system: None,
            units: Vec::new(),
            supervisor: None,
            ended: Ended::read(&folder),
            data: folder.data(),
        };
        let Some(known) = self.running(name) else { return Ok(status) };
        status.phase = known.phase;
        status.since = Some(known.since);
        status.ports = known.ports;
        status.address = known.address;
        status.outside = Some(known.outside);
        status.supervisor = Some(known.supervisor);
        if known.first > 0 {
            status.system = self.output(name, &["systemctl", "is-system-running"]).ok();
            status.units = self.units(name).unwrap_or_default();
        }
        Ok(status)
    }

    /// The declared services, sockets, timers and paths of a running machine, and whatever failed.
    fn units(&self, name: &str) -> Result<Vec<UnitStatus>, Error> {
        let state = self.folder(name).state();
        let manifest = state.manifest(state.current().unwrap_or(0))?;
        let text = self.output(
            name,
            &["systemctl", "list-units", "--all", "--plain", "--no-legend", "--no-pager", "--full"],
        )?;
        let parse = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [unit, _, active, sub, ..] = words[..] else { return None };
            let wanted = manifest.units.contains_key(unit) || active == "failed";
            wanted.then(|| UnitStatus {
                name: unit.to_owned(),
                active: active.to_owned(),
                sub: sub.to_owned(),
            })
        };
        Ok(text.lines().filter_map(parse).collect())
    }
}
