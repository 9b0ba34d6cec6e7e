//! The executor: takes up the journal where it is and leads it to an end.

use super::{Events, Journal, Stage, SwitchEvent, forward, revert};
use crate::compose::{self, Composition, Store};
use crate::plan::Plan;
use crate::{Error, Manifest, State, checks, host, state};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// All that the stages work with.
pub(super) struct Work<'a> {
    pub state: &'a State,
    pub store: Store,
    pub events: Events<'a>,
    pub plan: Plan,
    pub old: Manifest,
    pub new: Manifest,
    /// Whether this machine runs in a user namespace.
    pub user: bool,
}

impl Work<'_> {
    /// The root of the old generation or of the new one; composed where it is not there any more.
    pub fn compose(&self, manifest: &Manifest) -> Result<Composition, Error> {
        compose::compose(&self.store, self.state, manifest)
    }

    pub fn enter(&self, journal: &mut Journal, stage: Stage) -> Result<(), Error> {
        journal.stage = stage;
        journal.write(self.state)?;
        self.events.stage(stage);
        Ok(())
    }
}

/// `internal switch`: run by the machine's systemd, which starts it again when it is killed.
pub(crate) fn main() -> ExitCode {
    let state = State::new(PathBuf::from(checks::STATE));
    let Some(mut journal) = Journal::read(&state) else { return ExitCode::SUCCESS };
    let events = Events::new(&state);
    println!("generation {} to {}, {:?}", journal.from, journal.to, journal.stage);
    let done = lead(&state, &mut journal, events);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not even the old generation could be put back this time: systemd starts the executor again.
            eprintln!("{error}");
            std::thread::sleep(std::time::Duration::from_millis(500));
            ExitCode::FAILURE
        }
    }
}

fn lead(state: &State, journal: &mut Journal, events: Events<'_>) -> Result<(), Error> {
    let plan: Plan = state::read_json(&state.generation(journal.to).join("plan.json"))?;
    let (old, new) = (state.manifest(journal.from)?, state.manifest(journal.to)?);
    let work = Work {
        state,
        store: Store::below(Path::new("/")),
        events,
        plan,
        old,
        new,
        user: !host::holds_all_ids(),
    };
    match journal.stage {
        Stage::Staging | Stage::Preflight => {
            if let Err(error) = forward::forward(&work, journal) {
                give_up(&work, journal, error)?;
            }
        }
        Stage::Switching | Stage::Checking => {
            let error = Error::Interrupted { to: journal.to, from: journal.from };
            give_up(&work, journal, error)?;
        }
        Stage::Reverting => revert::revert(&work, journal)?,
        Stage::Committed | Stage::Reverted | Stage::Refused => {}
    }
    if journal.stage == Stage::Committed && state.current() != Some(journal.to) {
        state.set_current(journal.to)?;
    }
    super::release(state);
    work.events.tell(&SwitchEvent::Finished);
    Ok(())
}

/// Ends a switch that failed: where something was changed, the old generation is put back.
fn give_up(work: &Work<'_>, journal: &mut Journal, error: Error) -> Result<(), Error> {
    println!("{error}");
    work.events.tell(&SwitchEvent::Trouble { reason: error.to_string() });
    journal.failure = Some(error);
    if matches!(journal.stage, Stage::Staging | Stage::Preflight) {
        return work.enter(journal, Stage::Refused);
    }
    // The journal on disk leads to the same place where this cannot be noted.
    if let Err(error) = work.enter(journal, Stage::Reverting) {
        eprintln!("{error}");
    }
    revert::revert(work, journal)
}
