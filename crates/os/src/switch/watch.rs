//! Watches services that were started: one that ends within its settling time did not come up.

use super::systemd::Trouble;
use crate::Manifest;
use crate::checks;
use crate::plan::{Action, Plan};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The services to watch, each with the time that it must stay up.
pub(super) struct Watched {
    units: Vec<(String, Duration)>,
    stopped: AtomicBool,
}

/// For a service that says nothing about being ready.
const SILENT: f64 = 5.0;
/// For a service with a readiness protocol or a check of its own.
const SPEAKING: f64 = 1.0;

impl Watched {
    pub fn new(plan: &Plan, manifest: &Manifest) -> Self {
        let started = plan.of(Action::Start).chain(plan.of(Action::Restart));
        let services = started.filter(|unit| unit.ends_with(".service"));
        let settle = |unit: &str| {
            let given = manifest.units.get(unit).and_then(|unit| unit.settle_seconds);
            let checked = manifest.checks.iter().any(|check| check.unit == unit);
            let kind = checks::output("systemctl", &["show", "--value", "--property=Type", unit]);
            let speaks = checked || matches!(kind.as_str(), "notify" | "notify-reload" | "dbus" | "oneshot");
            let seconds = given.unwrap_or(if speaks { SPEAKING } else { SILENT });
            Duration::from_secs_f64(seconds.clamp(0.0, 600.0))
        };
        let units = services.map(|unit| (unit.to_owned(), settle(unit))).collect();
        Self { units, stopped: AtomicBool::new(false) }
    }

    /// Ends the watching before its time.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    /// Watches until all times are over.
    pub fn watch(&self) -> Result<(), Trouble> {
        let start = Instant::now();
        let mut restarts: BTreeMap<&str, String> = BTreeMap::new();
        loop {
            let open: Vec<&(String, Duration)> =
                self.units.iter().filter(|(_, settle)| start.elapsed() < *settle).collect();
            for (unit, _) in &self.units {
                let still = open.iter().any(|(open, _)| open == unit);
                if still || !restarts.contains_key(unit.as_str()) {
                    look(unit, &mut restarts)?;
                }
            }
            if open.is_empty() || self.stopped.load(Ordering::SeqCst) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

fn look<'a>(unit: &'a str, restarts: &mut BTreeMap<&'a str, String>) -> Result<(), Trouble> {
    let text = checks::output(
        "systemctl",
        &["show", "--property=ActiveState,Type,Result,NRestarts,ExecMainStatus", unit],
    );
    let facts: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let fact = |name: &str| facts.get(name).copied().unwrap_or_default();
    let trouble = |reason: String| Err(Trouble { reason, journal: checks::unit_journal(unit) });
    let first = restarts.entry(unit).or_insert_with(|| fact("NRestarts").to_owned());
    if first != fact("NRestarts") {
        return trouble(format!(
            "the service `{unit}` ended soon after it was started, and was started again"
        ));
    }
    let fine = match fact("ActiveState") {
        "active" | "reloading" | "activating" | "refreshing" => true,
        "inactive" => fact("Type") == "oneshot" && fact("Result") == "success",
        _ => false,
    };
    if fine {
        return Ok(());
    }
    let (result, status) = (fact("Result"), fact("ExecMainStatus"));
    trouble(format!("the service `{unit}` ended soon after it was started ({result}, status {status})"))
}
