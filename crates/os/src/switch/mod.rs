//! The journalled switch from one generation to another, carried out inside of the machine.
//!
//! The journal on disk says how far it came. Until it says *committed*, whatever ends the
//! executor (or the machine) leads back to the old generation: the unit of the executor is
//! started again by systemd and reverts, and a machine that boots takes the old one.

mod executor;
mod forward;
mod mounts;
mod preflight;
mod revert;
mod systemd;
mod watch;

use crate::error::Doing as _;
use crate::plan::Action;
use crate::{Error, State, state};
use nival_sys::fs;
use serde::{Deserialize, Serialize};
use std::io::Write as _;

pub(crate) use executor::main;

/// How much space is set aside while a switch goes on: for its journal and its events.
const RESERVE: usize = 128 * 1024;

/// Sets space aside; where there is none, nothing has changed yet.
pub(crate) fn reserve(state: &State) -> Result<(), Error> {
    fs::write_atomic(&state.reserve(), &vec![0x5a; RESERVE], 0o600)
        .doing(|| "set space aside for the switch".to_owned())
}

/// Gives the space back that was set aside; false where there is none any more.
pub(crate) fn release(state: &State) -> bool {
    let there = state.reserve().exists() && fs::remove_file(&state.reserve()).is_ok();
    if there {
        nival_sys::fault::freed();
    }
    there
}

/// How far a switch came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// The new root is composed; nothing has changed.
    Staging,
    /// Programs look at the new root; nothing has changed.
    Preflight,
    /// Files and units are being changed.
    Switching,
    /// The checks are running.
    Checking,
    /// The new generation counts.
    Committed,
    /// The old generation is being put back.
    Reverting,
    /// The old generation is back.
    Reverted,
    /// Nothing was changed.
    Refused,
}

impl Stage {
    /// Whether there is nothing left to do.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Committed | Self::Reverted | Self::Refused)
    }
}

/// The journal of one switch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Journal {
    pub from: u64,
    pub to: u64,
    pub stage: Stage,
    /// What was done to units so far, written before it is done.
    pub touched: Vec<(String, Action)>,
    pub failure: Option<Error>,
}

impl Journal {
    pub fn read(state: &State) -> Option<Self> {
        state::read_json(&state.journal()).ok()
    }

    pub fn write(&self, state: &State) -> Result<(), Error> {
        let write = || state::write_json(&state.journal(), self);
        match write() {
            Err(Error::Io { full: true, .. }) if release(state) => write(),
            other => other,
        }
    }

    /// What the client is told in the end.
    pub fn outcome(&self) -> Result<Switched, Error> {
        match (&self.failure, self.stage) {
            (None, Stage::Committed) => Ok(Switched { from: self.from, to: self.to }),
            (Some(error), _) => Err(error.clone()),
            (None, _) => Err(Error::Interrupted { to: self.to, from: self.from }),
        }
    }
}

/// A switch that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Switched {
    /// The generation before.
    pub from: u64,
    /// The generation that runs.
    pub to: u64,
}

/// What a switch reports while it goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "event")]
pub enum SwitchEvent {
    /// A stage begins.
    Stage {
        /// Which one.
        stage: Stage,
        /// Milliseconds since the executor started.
        milliseconds: u64,
    },
    /// Something was done to a unit.
    Unit {
        /// The unit.
        unit: String,
        /// What was done.
        action: Action,
        /// Milliseconds since the executor started.
        milliseconds: u64,
    },
    /// Something went wrong, and the old generation is put back.
    Trouble {
        /// What went wrong.
        reason: String,
    },
    /// It is over; the journal says how.
    Finished,
}

/// Appends events where the client reads them.
pub(crate) struct Events<'a> {
    state: &'a State,
    start: std::time::Instant,
}

impl<'a> Events<'a> {
    pub fn new(state: &'a State) -> Self {
        Self { state, start: std::time::Instant::now() }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(0)
    }

    /// A lost event harms nothing: the journal counts.
    pub fn tell(&self, event: &SwitchEvent) {
        let mut line = serde_json::to_vec(event).unwrap_or_default();
        line.push(b'\n');
        let write = || -> std::io::Result<()> {
            let mut file = fs::append(&self.state.events())?;
            nival_sys::fault::point("write", &"event")?;
            file.write_all(&line)
        };
        if let Err(error) = write()
            && error.kind() == std::io::ErrorKind::StorageFull
            && release(self.state)
        {
            let _ = write();
        }
    }

    pub fn stage(&self, stage: Stage) {
        self.tell(&SwitchEvent::Stage { stage, milliseconds: self.now() });
    }

    pub fn unit(&self, unit: &str, action: Action) {
        println!("{action:?} {unit}");
        self.tell(&SwitchEvent::Unit { unit: unit.to_owned(), action, milliseconds: self.now() });
    }
}

/// Brings the state of a machine that does not run to rest: a switch that was not committed never was.
pub(crate) fn settle(state: &State) -> Result<(), Error> {
    release(state);
    let Some(mut journal) = Journal::read(state) else { return Ok(()) };
    if journal.stage == Stage::Committed {
        if state.current() == Some(journal.from) {
            state.set_current(journal.to)?;
        }
    } else if !journal.stage.is_final() {
        journal.stage = Stage::Reverted;
        journal.failure.get_or_insert(Error::Interrupted { to: journal.to, from: journal.from });
        journal.write(state)?;
        Events::new(state).tell(&SwitchEvent::Finished);
    }
    Ok(())
}
