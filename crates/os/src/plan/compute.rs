//! From differences to steps.

use super::unit::View;
use super::{Action, Cause, DefinitionChange, FileChange, PackageChange, Plan, Snapshot, Step, What, causes};
use crate::manifest::ReloadOn;
use std::collections::{BTreeMap, BTreeSet};

/// The differences that steps are made from.
struct Differences<'a> {
    old: &'a Snapshot,
    new: &'a Snapshot,
    files: Vec<FileChange>,
    packages: Vec<PackageChange>,
    definitions: Vec<DefinitionChange>,
    /// Further roots that differ.
    roots: BTreeSet<String>,
}

pub(super) fn compute(old: &Snapshot, new: &Snapshot) -> Plan {
    let (before, after) = (&old.manifest, &new.manifest);
    let roots = causes::names(&before.roots, &after.roots);
    let roots = roots.into_iter().filter(|name| before.roots.get(*name) != after.roots.get(*name));
    let differences = Differences {
        old,
        new,
        files: causes::files(&before.root, &after.root),
        packages: causes::packages(Some(&before.root), Some(&after.root), ""),
        definitions: causes::definitions(before, after),
        roots: roots.map(str::to_owned).collect(),
    };
    let mut steps: BTreeMap<String, Step> = BTreeMap::new();
    for name in causes::names(&before.units, &after.units) {
        if let Some(step) = differences.step(name) {
            steps.insert(name.to_owned(), step);
        }
    }
    differences.systemd(&mut steps);
    differences.followers(&mut steps);
    let mut steps: Vec<Step> = steps.into_values().collect();
    steps.sort_by(|a, b| (a.action, &a.unit).cmp(&(b.action, &b.unit)));
    let mut packages = differences.packages.clone();
    for name in &differences.roots {
        packages.extend(causes::packages(before.roots.get(name), after.roots.get(name), name));
    }
    Plan {
        steps,
        packages,
        files: differences.files.clone(),
        ports: causes::ports(before, after),
        notes: differences.notes(),
        definitions: differences.definitions,
        is_new: before.root.packages.is_empty() && before.units.is_empty(),
    }
}

impl Differences<'_> {
    fn step(&self, name: &str) -> Option<Step> {
        let old = View::of(self.old, name);
        let new = View::of(self.new, name);
        let ran = old.as_ref().is_some_and(|view| view.runs) || self.is_started(self.old, name);
        let runs = new.as_ref().is_some_and(|view| view.runs) || self.is_started(self.new, name);
        let step = |action, causes| Some(Step { unit: name.to_owned(), action, causes });
        match (old, new) {
            (old, Some(new)) if runs && !ran => {
                let directly = new.runs;
                let cause = self.cause(What::Enabled, old.as_ref(), Some(&new));
                // What others start is started with them, if they start.
                if directly { step(Action::Start, vec![cause]) } else { None }
            }
            (Some(old), new) if ran && !runs => {
                step(Action::Stop, vec![self.cause(What::Disabled, Some(&old), new.as_ref())])
            }
            (Some(old), Some(new)) if runs => {
                let (action, causes) = self.changed(&old, &new)?;
                step(action, causes)
            }
            _ => None,
        }
    }

    /// Whether a declared unit that runs starts this one.
    fn is_started(&self, snapshot: &Snapshot, name: &str) -> bool {
        if !snapshot.manifest.units.contains_key(name)
            || snapshot.manifest.masks.iter().any(|mask| mask == name)
        {
            return false;
        }
        let others = snapshot.manifest.units.keys().filter(|other| *other != name);
        others.filter_map(|other| View::of(snapshot, other)).any(|view| view.runs && view.starts(name))
    }

    fn changed(&self, old: &View<'_>, new: &View<'_>) -> Option<(Action, Vec<Cause>)> {
        let mut restart: Vec<What> = Vec::new();
        if old.meaning != new.meaning {
            restart.push(What::Unit);
        }
        if old.definition.restart_triggers != new.definition.restart_triggers {
            restart.push(What::Trigger);
        }
        restart.extend(self.packages_of(old, new).into_iter().map(What::Package));
        let in_root = |name: &&String| {
            let path = format!("/run/nival/roots/{name}");
            new.meaning.iter().any(|line| line.contains(&path))
        };
        restart.extend(self.roots.iter().filter(in_root).cloned().map(What::Root));
        let mut softer: Vec<What> = self.files_of(old, new).into_iter().map(What::File).collect();
        if old.definition.reload_triggers != new.definition.reload_triggers {
            softer.push(What::Trigger);
        }
        let soft = match new.definition.reload_on {
            ReloadOn::Reload => Action::Reload,
            ReloadOn::Restart => Action::Restart,
            ReloadOn::None => Action::Later,
        };
        let mut action = match (restart.is_empty(), softer.is_empty()) {
            (true, true) => return None,
            (true, false) => soft,
            (false, _) => Action::Restart,
        };
        let mut whats = restart;
        whats.extend(softer);
        if action == Action::Reload
            && let Some(setting) = new.own_view()
        {
            action = Action::Restart;
            whats.push(What::OwnView(setting.to_owned()));
        }
        if action == Action::Restart && new.ends_by_itself() {
            action = Action::Later;
        }
        Some((action, whats.into_iter().map(|what| self.cause(what, Some(old), Some(new))).collect()))
    }

    fn packages_of(&self, old: &View<'_>, new: &View<'_>) -> Vec<PackageChange> {
        if self.packages.is_empty() {
            return Vec::new();
        }
        let mut needed = causes::closure(&self.new.manifest.root, &new.packages);
        needed.extend(causes::closure(&self.old.manifest.root, &old.packages));
        self.packages.iter().filter(|change| needed.contains(&change.name)).cloned().collect()
    }

    fn files_of(&self, old: &View<'_>, new: &View<'_>) -> Vec<String> {
        let patterns = || old.definition.files.iter().chain(&new.definition.files);
        let concerns = |path: &str| {
            patterns().any(|pattern| {
                if pattern.ends_with('/') { path.starts_with(pattern.as_str()) } else { path == pattern }
            })
        };
        self.files.iter().map(|file| &file.path).filter(|path| concerns(path)).cloned().collect()
    }

    fn cause(&self, what: What, old: Option<&View<'_>>, new: Option<&View<'_>>) -> Cause {
        let units = || [old, new].into_iter().flatten().map(|view| view.definition);
        let root = (&self.old.manifest.root, &self.new.manifest.root);
        let file = match &what {
            What::File(path) => [root.0.files.get(path), root.1.files.get(path)],
            _ => [None, None],
        };
        let of_files = || file.iter().flatten().flat_map(|file| &file.options);
        let definitions = if matches!(what, What::Package(_)) {
            Vec::new()
        } else if of_files().next().is_some() {
            causes::below(&self.definitions, of_files())
        } else {
            causes::below(&self.definitions, units().flat_map(|unit| &unit.options))
        };
        let origin = match &what {
            _ if !definitions.is_empty() => Vec::new(),
            What::File(path) => causes::file_origin(root.0, root.1, path),
            _ => units().next_back().map(|unit| unit.origin.clone()).unwrap_or_default(),
        };
        Cause { what, definitions, origin }
    }

    /// A change of systemd itself, or of what it runs on, re-executes it; its journal is restarted too.
    fn systemd(&self, steps: &mut BTreeMap<String, Step>) {
        let systemd = ["systemd".to_owned()];
        let mut needed = causes::closure(&self.new.manifest.root, &systemd);
        needed.extend(causes::closure(&self.old.manifest.root, &systemd));
        let changed: Vec<Cause> = self
            .packages
            .iter()
            .filter(|change| needed.contains(&change.name) && change.old.is_some() && change.new.is_some())
            .map(|change| Cause {
                what: What::Package(change.clone()),
                definitions: Vec::new(),
                origin: Vec::new(),
            })
            .collect();
        if changed.is_empty() {
            return;
        }
        for (unit, action) in [("systemd", Action::Reexecute), ("systemd-journald.service", Action::Restart)]
        {
            steps.entry(unit.to_owned()).or_insert_with(|| Step {
                unit: unit.to_owned(),
                action,
                causes: changed.clone(),
            });
        }
    }

    /// What needs a unit that is stopped or restarted is restarted with it.
    fn followers(&self, steps: &mut BTreeMap<String, Step>) {
        let mut open: Vec<String> = steps
            .values()
            .filter(|step| matches!(step.action, Action::Restart | Action::Stop))
            .map(|step| step.unit.clone())
            .collect();
        while let Some(needed) = open.pop() {
            for name in self.new.manifest.units.keys() {
                let Some(view) = View::of(self.new, name) else { continue };
                let runs = (view.runs || self.is_started(self.new, name))
                    && self.old.manifest.units.contains_key(name);
                let light =
                    steps.get(name).is_none_or(|step| matches!(step.action, Action::Reload | Action::Later));
                if runs && light && view.follows(&needed) {
                    let cause = Cause {
                        what: What::Needs(needed.clone()),
                        definitions: Vec::new(),
                        origin: Vec::new(),
                    };
                    let step = steps.entry(name.clone()).or_insert_with(|| Step {
                        unit: name.clone(),
                        action: Action::Restart,
                        causes: Vec::new(),
                    });
                    step.action = Action::Restart;
                    step.causes.push(cause);
                    open.push(name.clone());
                }
            }
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let bus = causes::closure(&self.new.manifest.root, &["dbus-daemon".to_owned()]);
        let changed = self.packages.iter().any(|change| bus.contains(&change.name) && change.old.is_some());
        if changed && bus.len() > 1 {
            notes.push("the message bus keeps its old version until the machine is booted again".to_owned());
        }
        notes
    }
}
