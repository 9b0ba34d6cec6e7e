//! A plan as lines for people.

use super::{Action, Cause, Change, DefinitionChange, PackageChange, Plan, What};
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) fn text(plan: &Plan) -> String {
    let mut text = String::new();
    if plan.is_empty() {
        return "nothing changes\n".to_owned();
    }
    for step in &plan.steps {
        let _ = writeln!(text, "{:<11} {}", action(step.action), step.unit);
        for cause in &step.causes {
            let _ = writeln!(text, "            {}", what(&cause.what));
            for line in origins(cause) {
                let _ = writeln!(text, "              {line}");
            }
        }
    }
    let (whole, single) = roots(&plan.packages, plan.is_new);
    for (root, change, count) in whole {
        let root = if root.is_empty() { "the machine's own" } else { root };
        let _ = writeln!(text, "{:<11} {change} {root} with {count} packages", "root");
    }
    for package in single {
        let _ = writeln!(text, "{:<11} {}", "package", package_change(package));
    }
    if plan.is_new {
        let _ = writeln!(text, "{:<11} added {} generated ones", "file", plan.files.len());
    }
    for file in plan.files.iter().filter(|_| !plan.is_new) {
        let _ = writeln!(text, "{:<11} {} {}", "file", change(file.change), file.path);
    }
    for port in &plan.ports {
        let _ = writeln!(text, "{:<11} {} {} of {}", "port", change(port.change), port.port, port.unit);
    }
    for note in &plan.notes {
        let _ = writeln!(text, "{:<11} {note}", "note");
    }
    if plan.steps.is_empty() {
        text += "no unit is touched\n";
    }
    text
}

/// Roots that come or go as a whole, and the packages that change one by one.
fn roots(
    packages: &[PackageChange],
    is_new: bool,
) -> (Vec<(&str, &'static str, usize)>, Vec<&PackageChange>) {
    let mut by_root: BTreeMap<&str, Vec<&PackageChange>> = BTreeMap::new();
    for package in packages {
        by_root.entry(&package.root).or_default().push(package);
    }
    let (mut whole, mut single) = (Vec::new(), Vec::new());
    for (root, packages) in by_root {
        let come = packages.iter().all(|package| package.old.is_none());
        let gone = packages.iter().all(|package| package.new.is_none());
        if (!root.is_empty() || is_new) && packages.len() > 3 && (come || gone) {
            whole.push((root, if come { "added" } else { "removed" }, packages.len()));
        } else {
            single.extend(packages);
        }
    }
    (whole, single)
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Stop => "stop",
        Action::Reexecute => "re-execute",
        Action::Reload => "reload",
        Action::Restart => "restart",
        Action::Start => "start",
        Action::Later => "later",
    }
}

fn change(change: Change) -> &'static str {
    match change {
        Change::Added => "added",
        Change::Removed => "removed",
        Change::Changed => "changed",
    }
}

fn what(what: &What) -> String {
    match what {
        What::Enabled => "it is enabled now".to_owned(),
        What::Disabled => "it is not enabled any more".to_owned(),
        What::Unit => "the unit itself changes".to_owned(),
        What::File(path) => format!("{path} changes"),
        What::Package(package) => format!("package {}", package_change(package)),
        What::Trigger => "what it is made from changes".to_owned(),
        What::Root(name) => format!("its root {name} changes"),
        What::Needs(unit) => format!("it needs {unit}"),
        What::OwnView(setting) => format!("a reload would not see the new files because of {setting}="),
    }
}

fn package_change(package: &PackageChange) -> String {
    let root = if package.root.is_empty() { String::new() } else { format!(" (root {})", package.root) };
    let name = &package.name;
    match (&package.old, &package.new) {
        (Some(old), Some(new)) if old == new => format!("{name} {old} built anew{root}"),
        (Some(old), Some(new)) => format!("{name} {old} -> {new}{root}"),
        (None, Some(new)) => format!("{name} {new} added{root}"),
        (Some(old), None) => format!("{name} {old} removed{root}"),
        (None, None) => name.clone(),
    }
}

fn origins(cause: &Cause) -> Vec<String> {
    if cause.definitions.is_empty() {
        return cause.origin.iter().map(ToString::to_string).collect();
    }
    cause.definitions.iter().map(definition).collect()
}

fn definition(change: &DefinitionChange) -> String {
    let place = change.origin.first().map(|origin| format!("{origin}  ")).unwrap_or_default();
    let value = |value: &Option<serde_json::Value>| value.as_ref().map_or_else(|| "unset".to_owned(), short);
    let name = match &change.patch {
        Some(patch) => format!("patch of {}: {}", patch.instance, patch.part),
        None => change.option.clone(),
    };
    format!("{place}{name}: {} -> {}", value(&change.old), value(&change.new))
}

fn short(value: &serde_json::Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 60 { text } else { text.chars().take(57).chain("...".chars()).collect() }
}
