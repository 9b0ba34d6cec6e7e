//! What a unit is in one generation: its text, what it needs, whether it runs by itself.

use super::Snapshot;
use crate::compose::template;
use crate::manifest::UnitDefinition;
use std::collections::BTreeSet;

/// A declared unit with all that its package says about it.
#[derive(Clone, Debug)]
pub(super) struct View<'a> {
    pub definition: &'a UnitDefinition,
    /// The whole of its text, package's and own, with what means nothing for a running unit left out.
    pub meaning: Vec<String>,
    /// The names of the packages that it runs.
    pub packages: Vec<String>,
    pub runs: bool,
}

impl<'a> View<'a> {
    pub(super) fn of(snapshot: &'a Snapshot, name: &str) -> Option<Self> {
        let definition = snapshot.manifest.units.get(name)?;
        let template = template(name);
        let packaged = snapshot.units.get(name).or_else(|| snapshot.units.get(template.as_deref()?));
        let own_template = template.as_deref().and_then(|name| snapshot.manifest.units.get(name));
        let base = definition
            .text
            .as_deref()
            .or_else(|| own_template.and_then(|unit| unit.text.as_deref()))
            .or_else(|| packaged.map(|unit| unit.text.as_str()))
            .unwrap_or_default();
        let mut meaning = meaning(base);
        if let Some(text) = own_template.and_then(|unit| unit.overrides.as_deref()) {
            meaning.extend(self::meaning(text));
        }
        meaning.extend(self::meaning(definition.overrides.as_deref().unwrap_or_default()));
        let packages = match packaged {
            Some(unit) if definition.packages.is_empty() && definition.text.is_none() => {
                vec![unit.package.clone()]
            }
            _ => definition.packages.clone(),
        };
        let masked = snapshot.manifest.masks.iter().any(|mask| mask == name);
        let wanted = !definition.wanted_by.is_empty() || !definition.required_by.is_empty();
        let mut view = Self { definition, meaning, packages, runs: definition.enable && wanted && !masked };
        let started: Vec<String> =
            view.programs().iter().filter_map(|path| snapshot.programs.get(path).cloned()).collect();
        view.packages.extend(started);
        Some(view)
    }

    /// The paths of the programs that it starts, as they lie in packages.
    pub(super) fn programs(&self) -> BTreeSet<String> {
        let lines = self.meaning.iter().filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().starts_with("Exec").then_some(value)
        });
        let paths = lines.filter_map(|value| {
            let path =
                value.trim_start_matches(['@', '-', ':', '+', '!', '|', ' ']).split_whitespace().next()?;
            let old = ["/bin/", "/sbin/", "/lib/"].into_iter().any(|folder| path.starts_with(folder));
            path.starts_with('/').then(|| if old { format!("/usr{path}") } else { path.to_owned() })
        });
        paths.collect()
    }

    /// The values of a setting, all of them split into words.
    pub(super) fn words(&self, setting: &str) -> BTreeSet<&str> {
        let values = self.meaning.iter().filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == setting).then_some(value)
        });
        values.flat_map(str::split_whitespace).collect()
    }

    fn last(&self, setting: &str) -> Option<&str> {
        self.meaning.iter().rev().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == setting).then(|| value.trim())
        })
    }

    /// Whether it does its work and ends, so that there is nothing to restart.
    pub(super) fn ends_by_itself(&self) -> bool {
        let remains = matches!(self.last("RemainAfterExit"), Some("yes" | "true" | "1" | "on"));
        self.last("Type") == Some("oneshot") && !remains
    }

    /// The setting that gives it a view of its own of the file tree, which a switch does not reach.
    pub(super) fn own_view(&self) -> Option<&'static str> {
        const MAKES_ONE: [&str; 24] = [
            "BindPaths",
            "BindReadOnlyPaths",
            "DynamicUser",
            "ExecPaths",
            "InaccessiblePaths",
            "MountAPIVFS",
            "MountFlags",
            "NoExecPaths",
            "PrivateDevices",
            "PrivateIPC",
            "PrivateMounts",
            "PrivateTmp",
            "PrivateUsers",
            "ProcSubset",
            "ProtectControlGroups",
            "ProtectHome",
            "ProtectHostname",
            "ProtectKernelLogs",
            "ProtectKernelModules",
            "ProtectKernelTunables",
            "ProtectProc",
            "ProtectSystem",
            "ReadOnlyPaths",
            "RootDirectory",
        ];
        let off = |value: &str| matches!(value, "" | "no" | "false" | "0" | "off" | "default" | "all");
        MAKES_ONE.into_iter().find(|setting| self.last(setting).is_some_and(|value| !off(value)))
    }

    /// Whether it needs another unit so much that it stops and restarts with it.
    pub(super) fn follows(&self, other: &str) -> bool {
        ["Requires", "BindsTo", "PartOf", "Requisite"]
            .into_iter()
            .any(|setting| self.words(setting).contains(other))
    }

    /// Whether it starts another unit when it starts.
    pub(super) fn starts(&self, other: &str) -> bool {
        ["Requires", "BindsTo", "Wants", "Upholds"]
            .into_iter()
            .any(|setting| self.words(setting).contains(other))
    }
}

/// The lines of a unit that say something about how it runs.
fn meaning(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut install = false;
    let text = text.replace("\\\n", " ");
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            install = line == "[Install]";
            continue;
        }
        let said = line.is_empty() || line.starts_with('#') || line.starts_with(';');
        let shown = line.starts_with("Description=") || line.starts_with("Documentation=");
        if !install && !said && !shown {
            lines.push(line.to_owned());
        }
    }
    lines
}
