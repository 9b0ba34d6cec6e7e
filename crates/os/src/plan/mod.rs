//! What a switch will do, unit by unit, each step with its cause. Pure: two manifests in, a plan out.

mod causes;
mod compute;
mod text;
mod unit;

use crate::Manifest;
use crate::compose::{PackageUnit, Store, package_units};
use crate::manifest::{Origin, Protocol};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a switch does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The steps in the order of what they do: stop, re-execute, reload, restart, start, then what waits.
    pub steps: Vec<Step>,
    /// Packages that come, go or change.
    pub packages: Vec<PackageChange>,
    /// Generated files that come, go or change.
    pub files: Vec<FileChange>,
    /// Ports that come or go.
    pub ports: Vec<PortChange>,
    /// The user's definitions that come, go or change.
    pub definitions: Vec<DefinitionChange>,
    /// Facts that belong to no single unit.
    pub notes: Vec<String>,
    /// Whether there was nothing before: the machine is made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_new: bool,
}

/// What happens to one unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The unit's full name; `systemd` itself for a re-execution.
    pub unit: String,
    /// What happens to it.
    pub action: Action,
    /// Why.
    pub causes: Vec<Cause>,
}

/// What can happen to a unit. The order is the one in which it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// It is stopped.
    Stop,
    /// systemd becomes its new version; nothing stops.
    Reexecute,
    /// It reads its files again.
    Reload,
    /// It is stopped and started.
    Restart,
    /// It is started.
    Start,
    /// Nothing happens to it now; the change counts when it starts next.
    Later,
}

/// Why something happens to a unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// What changed.
    pub what: What,
    /// The user's definitions that are behind it.
    pub definitions: Vec<DefinitionChange>,
    /// Where the thing that changed is defined, when no definition of the user's is behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origin: Vec<Origin>,
}

/// A thing whose change concerns a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// The unit is new, or is enabled now.
    Enabled,
    /// The unit is gone, masked, or not enabled any more.
    Disabled,
    /// The unit's own text, or what is added to it.
    Unit,
    /// A generated file.
    File(String),
    /// A package that the unit runs or needs.
    Package(PackageChange),
    /// What the module says that the unit depends on.
    Trigger,
    /// A further root that the unit runs in.
    Root(String),
    /// A unit that this one needs is stopped or restarted.
    Needs(String),
    /// The files are seen only by a restart, since the unit has a view of its own of the file tree.
    OwnView(String),
}

/// A package that comes, goes or changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageChange {
    /// Its name.
    pub name: String,
    /// The version before, if it was there.
    pub old: Option<String>,
    /// The version after, if it stays.
    pub new: Option<String>,
    /// The further root that it belongs to; empty for the machine's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub root: String,
}

/// How something differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// It was not there.
    Added,
    /// It is not there any more.
    Removed,
    /// It is another one.
    Changed,
}

/// A generated file that comes, goes or changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileChange {
    /// Its path.
    pub path: String,
    /// How it differs.
    pub change: Change,
}

/// A port that comes or goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortChange {
    /// The number.
    pub port: u16,
    /// Its kind.
    pub protocol: Protocol,
    /// The unit.
    pub unit: String,
    /// How it differs.
    pub change: Change,
}

/// A definition of the user's that comes, goes or changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DefinitionChange {
    /// The option.
    pub option: String,
    /// The value before.
    pub old: Option<serde_json::Value>,
    /// The value after.
    pub new: Option<serde_json::Value>,
    /// Where it stands (or stood).
    pub origin: Vec<Origin>,
    /// Whether it changes by hand what a service is made of, and which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<Patch>,
}

/// A change by hand to what an instance of a service is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    /// The instance, as an option: `services.redis`.
    pub instance: String,
    /// What is changed: `units.main.serviceConfig.MemoryMax`.
    pub part: String,
}

impl Patch {
    /// The patch that an option is; `None` for any other option.
    pub fn of(option: &str) -> Option<Self> {
        let (instance, part) = option.strip_prefix("services.")?.split_once(".patches.")?;
        Some(Self { instance: format!("services.{instance}"), part: part.to_owned() })
    }
}

/// A manifest with what its packages say about units: all that a plan is made from.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The manifest.
    pub manifest: Manifest,
    units: BTreeMap<String, PackageUnit>,
    /// The packages that bring the programs which units start, by the program's path.
    programs: BTreeMap<String, String>,
}

impl Snapshot {
    /// Reads the units of a manifest's packages.
    #[must_use]
    pub fn new(store: &Store, manifest: Manifest) -> Self {
        let units = package_units(store, &manifest);
        let mut snapshot = Self { manifest, units, programs: BTreeMap::new() };
        let views = snapshot.manifest.units.keys().filter_map(|name| unit::View::of(&snapshot, name));
        let paths: BTreeSet<String> = views.flat_map(|view| view.programs()).collect();
        let holder = |path: &str| {
            let inside = |package: &&crate::manifest::Package| {
                let place = store.physical(&package.path).join("root").join(path.trim_start_matches('/'));
                std::fs::symlink_metadata(place).is_ok()
            };
            snapshot.manifest.root.packages.iter().find(inside).map(|package| package.name.clone())
        };
        let programs =
            paths.into_iter().filter_map(|path| holder(&path).map(|package| (path, package))).collect();
        snapshot.programs = programs;
        snapshot
    }
}

/// What it takes to get from one generation to another.
#[must_use]
pub fn plan(old: &Snapshot, new: &Snapshot) -> Plan {
    compute::compute(old, new)
}

impl Plan {
    /// Whether nothing at all changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.packages.is_empty() && self.files.is_empty() && self.ports.is_empty()
    }

    /// The plan as lines for people.
    #[must_use]
    pub fn text(&self) -> String {
        text::text(self)
    }

    /// The units that something is done to.
    pub fn of(&self, action: Action) -> impl Iterator<Item = &str> {
        self.steps.iter().filter(move |step| step.action == action).map(|step| step.unit.as_str())
    }
}
