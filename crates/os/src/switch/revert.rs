//! The way back to the old generation. It can be gone again from its beginning at any time.

use super::executor::Work;
use super::{Journal, Stage, mounts, systemd};
use crate::Error;
use crate::checks::{self, Wrong};
use crate::plan::Action;

/// Puts files and units back as they were; what cannot be put back is told, and nothing stops on the way.
pub(super) fn revert(work: &Work<'_>, journal: &mut Journal) -> Result<(), Error> {
    let of = |actions: &[Action]| -> Vec<String> {
        let touched = journal.touched.iter().filter(|(_, action)| actions.contains(action));
        touched.map(|(unit, _)| unit.clone()).collect()
    };
    let mut left = Vec::new();
    let mut attempt = |units: Vec<String>, action: Action| {
        if !units.is_empty() {
            for unit in &units {
                work.events.unit(unit, action);
            }
            if let Err(trouble) = systemd::act(action, &units) {
                left.push(trouble.reason);
            }
        }
    };
    attempt(of(&[Action::Start]), Action::Stop);
    let composition = work.compose(&work.old)?;
    mounts::show(work, &composition)?;
    let again = work.plan.of(Action::Reexecute).next().is_some();
    if let Err(reason) = systemd::load(again) {
        return Err(Error::Io { doing: "load the old units".to_owned(), error: reason, full: false });
    }
    systemd::forget_failures(&of(&[Action::Start, Action::Restart, Action::Reload]));
    let (alive, dead): (Vec<String>, Vec<String>) =
        of(&[Action::Reload]).into_iter().partition(|unit| checks::unit_state(unit) == "active");
    attempt(alive, Action::Reload);
    attempt(dead, Action::Restart);
    attempt(of(&[Action::Restart]), Action::Restart);
    attempt(of(&[Action::Stop]), Action::Start);
    if let Err(error) = checks::run_all(&work.old.checks, Wrong::Counts) {
        left.push(error.to_string());
    }
    if let Some(Error::Switch { left: told, .. }) = &mut journal.failure {
        *told = left;
    }
    work.enter(journal, Stage::Reverted)
}
