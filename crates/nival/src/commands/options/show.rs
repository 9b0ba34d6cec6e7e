//! How options are shown: a list of what was found, or one of them with all that is known.

use super::Hit;
use crate::output::Output;
use serde_json::json;
use std::fmt::Write as _;

/// Prints what was found; `count` is how many there are in all.
pub fn show(output: Output, hits: &[Hit], count: usize, exact: bool) {
    let mut text = String::new();
    match hits {
        [] => text.push_str("there is no such option: fewer or other words may find it"),
        [only] if exact => page(&mut text, output, only),
        _ => {
            for hit in hits {
                line(&mut text, output, hit);
            }
            if count > hits.len() {
                let _ = writeln!(text, "and {} more: `--all` shows them", count - hits.len());
            }
        }
    }
    output.result(&text, || hits.iter().map(as_json).collect());
}

fn as_json(hit: &Hit) -> serde_json::Value {
    let option = &hit.option;
    let state = hit.state.as_ref();
    json!({
        "name": option.name, "type": option.takes, "description": option.description, "default": option.default,
        "example": option.example, "declared": option.declared, "value": state.and_then(|s| s.value.clone()),
        "set": state.map(|s| s.set.iter().map(setting).collect::<Vec<_>>()),
    })
}

/// The beginning of a text that is one sentence, or as much as fits.
fn short(text: &str, most: usize) -> String {
    let line = text.trim().lines().next().unwrap_or_default().trim();
    if line.chars().count() <= most {
        return line.to_owned();
    }
    let cut: String = line.chars().take(most.saturating_sub(3)).collect();
    format!("{}...", cut.trim_end())
}

fn strong(output: Output, text: &str) -> String {
    if output.is_colored() && !output.is_json() {
        format!("\u{1b}[1m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

fn line(text: &mut String, output: Output, hit: &Hit) {
    let option = &hit.option;
    let _ = writeln!(text, "{}  ({})", strong(output, &option.name), short(&option.takes, 60));
    let _ = writeln!(text, "    {}", short(&option.description, 110));
    let Some(state) = hit.state.as_ref().filter(|state| !state.set.is_empty()) else { return };
    if let Some(value) = &state.value {
        let _ = writeln!(text, "    = {}", short(value, 100));
    }
    for setting in state.set.iter().filter(|setting| !setting.is_overridden) {
        let _ = writeln!(text, "      set at {}", setting.place);
    }
}

fn page(text: &mut String, output: Output, hit: &Hit) {
    let option = &hit.option;
    let _ = writeln!(text, "{}\n\n{}\n", strong(output, &option.name), option.description.trim());
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<12}{}", value.trim().replace('\n', "\n            "));
    };
    row("takes", &option.takes);
    row("default", option.default.as_deref().unwrap_or("(none)"));
    if let Some(example) = &option.example {
        row("example", example);
    }
    for file in &option.declared {
        row("declared", file);
    }
    let Some(state) = &hit.state else { return };
    row("value", state.value.as_deref().unwrap_or("(cannot be shown)"));
    for setting in &state.set {
        let strength = match setting.priority {
            100 => String::new(),
            50 => ", by mkForce".to_owned(),
            1000 => ", by mkDefault".to_owned(),
            other => format!(", of priority {other}"),
        };
        let name = if setting.is_overridden { "overridden" } else { "set" };
        row(name, &format!("{}: {}{strength}", setting.place, short(&setting.value, 80)));
    }
}

fn setting(setting: &nival_engine::Setting) -> serde_json::Value {
    json!({
        "place": setting.place,
        "value": setting.value,
        "priority": setting.priority,
        "overridden": setting.is_overridden,
    })
}
