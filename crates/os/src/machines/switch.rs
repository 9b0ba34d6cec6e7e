//! Changing a running machine: the client stores the generation, starts the executor, and looks on.

use super::Machines;
use crate::error::Doing as _;
use crate::manifest::VERSION;
use crate::plan::{self, Plan, Snapshot};
use crate::switch::{Journal, Stage, SwitchEvent, Switched};
use crate::{Error, Manifest, State};
use nival_sys::{fs, owner};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::time::{Duration, Instant};

/// How long a switch may go on whose client was killed.
const ORPHANED: Duration = Duration::from_secs(120);

impl Machines {
    /// What a switch of a machine to a manifest would do; of one that was never started, what making it would.
    ///
    /// # Errors
    /// That the current generation cannot be read.
    pub fn plan(&self, name: &str, manifest: &Manifest) -> Result<Plan, Error> {
        let state = self.folder(name).state();
        let Some(current) = state.current() else {
            let nothing = Manifest { version: VERSION, name: name.to_owned(), ..Manifest::default() };
            let mut plan = self.plan_between(nothing, manifest.clone());
            plan.notes.push(format!("`{name}` was never started: `nival up` makes it"));
            return Ok(plan);
        };
        Ok(self.plan_between(state.manifest(current)?, manifest.clone()))
    }

    /// What it takes to get from one manifest to another.
    #[must_use]
    pub fn plan_between(&self, old: Manifest, new: Manifest) -> Plan {
        let store = self.store();
        plan::plan(&Snapshot::new(&store, old), &Snapshot::new(&store, new))
    }

    /// The manifest of a generation.
    ///
    /// # Errors
    /// [`Error::UnknownMachine`], [`Error::Generation`].
    pub fn manifest(&self, name: &str, number: u64) -> Result<Manifest, Error> {
        let state = self.known(name)?.state();
        if !state.numbers().contains(&number) {
            return Err(Error::Generation { machine: name.to_owned(), number });
        }
        state.manifest(number)
    }

    /// The number of the generation that a machine runs, or boots next.
    ///
    /// # Errors
    /// [`Error::UnknownMachine`].
    pub fn current(&self, name: &str) -> Result<Option<u64>, Error> {
        Ok(self.known(name)?.state().current())
    }

    /// Changes a running machine to a manifest; returns when the new generation is in place and well.
    ///
    /// The change goes on when this process ends.
    ///
    /// # Errors
    /// [`Error::Switch`], [`Error::Preflight`] and others: the old generation runs then, as if nothing had been asked.
    pub fn switch(
        &self,
        name: &str,
        manifest: &Manifest,
        show: &mut dyn FnMut(&SwitchEvent),
    ) -> Result<Switched, Error> {
        self.change(name, manifest, "switch", show)
    }

    /// Changes a running machine back to a generation, the one before where no number is given.
    ///
    /// # Errors
    /// [`Error::Generation`], and those of [`Self::switch`].
    pub fn rollback(
        &self,
        name: &str,
        number: Option<u64>,
        show: &mut dyn FnMut(&SwitchEvent),
    ) -> Result<Switched, Error> {
        let state = self.known(name)?.state();
        let current = state.current().unwrap_or(0);
        let before =
            || state.numbers().into_iter().rfind(|number| *number < current && state.counted(*number));
        let wanted = number.or_else(before).unwrap_or(0);
        let manifest = self.manifest(name, wanted)?;
        self.change(name, &manifest, &format!("rollback to {wanted}"), show)
    }

    fn change(
        &self,
        name: &str,
        manifest: &Manifest,
        made_by: &str,
        show: &mut dyn FnMut(&SwitchEvent),
    ) -> Result<Switched, Error> {
        let state = self.known(name)?.state();
        if manifest.name != name {
            let reason = format!("it describes the machine `{}`, not `{name}`", manifest.name);
            return Err(Error::Manifest(reason));
        }
        if !self.is_running(name) {
            return Err(Error::NotRunning(name.to_owned()));
        }
        let _lock = self.take_turn(name, &state)?;
        let from = state.current().unwrap_or(0);
        let old = state.manifest(from)?;
        if old == *manifest {
            return Ok(Switched { from, to: from });
        }
        let plan = self.plan_between(old, manifest.clone());
        let plan = serde_json::to_vec_pretty(&plan).unwrap_or_default();
        let to = state.add(manifest, made_by, &[("plan.json", plan)])?;
        crate::switch::reserve(&state)?;
        fs::remove_file(&state.events()).doing(|| "clear the events of the last switch".to_owned())?;
        let mut journal = Journal { from, to, stage: Stage::Staging, touched: Vec::new(), failure: None };
        journal.write(&state)?;
        if let Err(error) = self.output(name, &["systemctl", "start", "--no-block", "nival-switch.service"]) {
            crate::switch::release(&state);
            (journal.stage, journal.failure) = (Stage::Refused, Some(error.clone()));
            journal.write(&state)?;
            return Err(error);
        }
        let switched = self.follow(name, &state, show);
        // What is too old is no reason to call a switch failed.
        let keep = usize::try_from(manifest.keep_generations).unwrap_or(usize::MAX);
        if let Err(error) = state.prune(keep, None) {
            tracing::warn!("{error}");
        }
        switched
    }

    /// Removes old generations of a machine: all but the last ones, and those made since a time in seconds since 1970
    /// where one is given. Gives their numbers.
    ///
    /// # Errors
    /// [`Error::UnknownMachine`], [`Error::Busy`] while a switch goes on.
    pub fn prune(&self, name: &str, last: usize, since: Option<u64>) -> Result<Vec<u64>, Error> {
        let state = self.known(name)?.state();
        let _lock = self.take_turn(name, &state)?;
        state.prune(last, since)
    }

    /// Takes the lock of switches. One whose client was killed is waited for; one that somebody looks on is not.
    fn take_turn(&self, name: &str, state: &State) -> Result<std::fs::File, Error> {
        let lock = fs::open_rw(&state.switch_lock()).doing(|| "lock the switch".to_owned())?;
        let busy = || Err(Error::Busy(name.to_owned()));
        if !owner::try_lock(&lock).doing(|| "lock the switch".to_owned())? {
            return busy();
        }
        let end = Instant::now() + ORPHANED;
        while self.is_switching(name, state) {
            if Instant::now() > end {
                return busy();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(lock)
    }

    /// Whether an executor is at work.
    fn is_switching(&self, name: &str, state: &State) -> bool {
        let open = Journal::read(state).is_some_and(|journal| !journal.stage.is_final());
        open && self.is_at_work(name)
    }

    /// Whether the executor's unit runs, or waits to be started again.
    fn is_at_work(&self, name: &str) -> bool {
        self.output(name, &["systemctl", "is-active", "nival-switch.service"])
            .is_ok_and(|said| matches!(said.as_str(), "active" | "activating" | "reloading" | "deactivating"))
    }

    /// Shows events until the journal is at its end.
    fn follow(
        &self,
        name: &str,
        state: &State,
        show: &mut dyn FnMut(&SwitchEvent),
    ) -> Result<Switched, Error> {
        let mut position = 0;
        let mut text = String::new();
        let mut looked = Instant::now();
        // For how many seconds no executor has been at work.
        let mut idle = 0;
        loop {
            if let Ok(mut file) = std::fs::File::open(state.events()) {
                let _ = file.seek(SeekFrom::Start(position));
                position += file.read_to_string(&mut text).unwrap_or(0) as u64;
            }
            while let Some(end) = text.find('\n') {
                let line: String = text.drain(..=end).collect();
                match serde_json::from_str(&line) {
                    Ok(SwitchEvent::Finished) => return outcome(name, state),
                    Ok(event) => show(&event),
                    Err(_) => {}
                }
            }
            if looked.elapsed() > Duration::from_secs(1) {
                looked = Instant::now();
                if !self.is_running(name) {
                    let reason =
                        "the machine ended during the switch; the old generation boots next".to_owned();
                    return Err(Error::Supervisor { machine: name.to_owned(), reason });
                }
                // The journal counts: an event that could not be written is no reason to wait for ever.
                idle = if self.is_at_work(name) { 0 } else { idle + 1 };
                let ended = Journal::read(state).is_some_and(|journal| journal.stage.is_final());
                if (ended && idle > 0) || idle > 10 {
                    return outcome(name, state);
                }
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn outcome(name: &str, state: &State) -> Result<Switched, Error> {
    let gone =
        || Error::Supervisor { machine: name.to_owned(), reason: "the journal cannot be read".to_owned() };
    Journal::read(state).ok_or_else(gone)?.outcome()
}
