//! The way to the new generation.

use super::executor::Work;
use super::{Journal, Stage, mounts, preflight, systemd, watch};
use crate::Error;
use crate::checks::{self, Wrong};
use crate::manifest::Check;
use crate::plan::Action;

/// Goes all the way; an error means that it cannot be gone on, and `journal.stage` how far it came.
pub(super) fn forward(work: &Work<'_>, journal: &mut Journal) -> Result<(), Error> {
    work.enter(journal, Stage::Staging)?;
    let composition = work.compose(&work.new)?;
    if !work.new.preflight.is_empty() {
        work.enter(journal, Stage::Preflight)?;
        preflight::run(work, &composition)?;
    }
    work.enter(journal, Stage::Switching)?;
    act(work, journal, Action::Stop)?;
    mounts::show(work, &composition)?;
    composition.prepare()?;
    systemd::load(!work.plan.of(Action::Reexecute).collect::<Vec<_>>().is_empty())
        .map_err(|reason| failed(journal, reason, Vec::new()))?;
    for action in [Action::Reload, Action::Restart, Action::Start] {
        act(work, journal, action)?;
    }
    work.enter(journal, Stage::Checking)?;
    check(work, journal)?;
    journal.stage = Stage::Committed;
    journal.write(work.state)?;
    work.state.set_current(journal.to)?;
    work.events.stage(Stage::Committed);
    Ok(())
}

/// Does one kind of thing to all units that it is planned for, in one go, so that systemd orders them.
fn act(work: &Work<'_>, journal: &mut Journal, action: Action) -> Result<(), Error> {
    let units: Vec<String> = work.plan.of(action).map(str::to_owned).collect();
    if units.is_empty() {
        return Ok(());
    }
    journal.touched.extend(units.iter().map(|unit| (unit.clone(), action)));
    journal.write(work.state)?;
    let result = systemd::act(action, &units);
    for unit in &units {
        work.events.unit(unit, action);
    }
    result.map_err(|trouble| failed(journal, trouble.reason, trouble.journal))
}

/// Runs the checks of the new generation while the units that were started are watched.
fn check(work: &Work<'_>, journal: &Journal) -> Result<(), Error> {
    let watched = watch::Watched::new(&work.plan, &work.new);
    let relevant: Vec<Check> = work.new.checks.clone();
    let (checked, stayed) = std::thread::scope(|scope| {
        let watching = scope.spawn(|| watched.watch());
        let checked = checks::run_all(&relevant, Wrong::Counts);
        if checked.is_err() {
            watched.stop();
        }
        (checked, watching.join().unwrap_or(Ok(())))
    });
    if let Err(trouble) = stayed {
        return Err(failed(journal, trouble.reason, trouble.journal));
    }
    checked.map_err(|error| match error {
        Error::Check { check, reason, journal: lines } => {
            failed(journal, format!("the health check `{check}` failed: {reason}"), lines)
        }
        other => other,
    })
}

fn failed(journal: &Journal, reason: String, lines: Vec<String>) -> Error {
    Error::Switch { to: journal.to, from: journal.from, reason, journal: lines, left: Vec::new() }
}
