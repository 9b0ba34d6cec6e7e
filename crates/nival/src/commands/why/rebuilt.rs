//! Why something is built again: what differs from the one that was built last.

use crate::context::Context;
use crate::error::Error;
use crate::output::date_time;
use nival_store::LocalStore;
use nival_store_model::store_path::HASH_DIGITS;
use nival_store_model::{Derivation, StorePath};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::ExitCode;

/// One thing that differs, and the inputs by way of which it matters.
struct Cause {
    way: Vec<String>,
    what: String,
    before: Option<String>,
    now: Option<String>,
}

/// Shows what differs between a derivation and the one of the same name that was built last.
pub(super) fn tell(context: &mut Context, drv: &StorePath, most: usize) -> Result<ExitCode, Error> {
    let store = context.store()?;
    let printed = store.dir().print(drv);
    let outputs = store.outputs_of(drv)?;
    let mut is_there = true;
    for path in outputs.values() {
        is_there &= path.as_ref().map_or(Ok(false), |path| store.is_valid(path))?;
    }
    if is_there {
        let text = format!("{printed}\nis not built again: its outputs are there");
        context.output.result(&text, || json!({ "derivation": printed, "built": false, "causes": [] }));
        return Ok(ExitCode::SUCCESS);
    }
    let Some((before, when)) = last_built(&store, drv)? else {
        let text = format!("{printed}\nis built for the first time: nothing of its name was built here");
        context.output.result(&text, || json!({ "derivation": printed, "built": true, "causes": [] }));
        return Ok(ExitCode::SUCCESS);
    };
    let mut causes = Vec::new();
    compare(&store, &before, drv, &mut Vec::new(), &mut BTreeSet::new(), &mut causes)?;
    let mut text = format!(
        "{printed}\nis built again: it differs from what was built on {}\n{}\n",
        date_time(when),
        store.dir().print(&before)
    );
    for cause in causes.iter().take(most) {
        let _ = writeln!(text, "\n{}", shown(cause));
    }
    if causes.len() > most {
        let _ = writeln!(text, "\nand {} more (--most {})", causes.len() - most, causes.len());
    }
    let all: Vec<Value> = causes
        .iter()
        .map(|cause| {
            json!({ "inputs": cause.way, "what": cause.what, "before": cause.before, "now": cause.now })
        })
        .collect();
    context.output.result(&text, || {
        json!({
            "derivation": printed, "built": true, "before": store.dir().print(&before), "causes": all,
        })
    });
    Ok(ExitCode::SUCCESS)
}

fn shown(cause: &Cause) -> String {
    let mut text = String::new();
    if !cause.way.is_empty() {
        let _ = writeln!(text, "by its input {}:", cause.way.join(", by its input "));
    }
    let _ = write!(text, "  {}", cause.what);
    for (word, value) in [("before", &cause.before), ("now", &cause.now)] {
        let _ = match value {
            Some(value) => write!(text, "\n    {word:6} {}", value.replace('\n', "\n           ")),
            None => write!(text, "\n    {word:6} not there"),
        };
    }
    text
}

/// The derivation of the same name whose outputs were registered last.
fn last_built(store: &LocalStore, drv: &StorePath) -> Result<Option<(StorePath, i64)>, Error> {
    let mut newest: Option<(StorePath, i64)> = None;
    for path in store.all()? {
        if path == *drv || path.name() != drv.name() || !path.is_derivation() {
            continue;
        }
        let mut since = None;
        for output in store.outputs_of(&path)?.into_values().flatten() {
            since = since.max(store.info(&output)?.map(|info| info.registered));
        }
        if let Some(since) = since
            && newest.as_ref().is_none_or(|(_, known)| *known < since)
        {
            newest = Some((path, since));
        }
    }
    Ok(newest)
}

/// Gathers what differs between two derivations, and between inputs of the same name, down to where it begins.
fn compare(
    store: &LocalStore,
    before: &StorePath,
    now: &StorePath,
    way: &mut Vec<String>,
    seen: &mut BTreeSet<(StorePath, StorePath)>,
    causes: &mut Vec<Cause>,
) -> Result<(), Error> {
    if before == now || !seen.insert((before.clone(), now.clone())) {
        return Ok(());
    }
    if !store.is_valid(before)? || !store.is_valid(now)? {
        let text = |path: &StorePath| Some(store.dir().print(path));
        causes.push(Cause {
            way: way.clone(),
            what: "the derivation, of which one is no longer here".to_owned(),
            before: text(before),
            now: text(now),
        });
        return Ok(());
    }
    let (old, new) = (store.read_derivation(before)?, store.read_derivation(now)?);
    own_differences(&old, &new, way, causes);
    let print = |path: &StorePath| store.dir().print(path);
    let (was, is) = (sources(&old), sources(&new));
    for name in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
        let (was, is) = (was.get(name), is.get(name));
        if was != is {
            causes.push(Cause {
                way: way.clone(),
                what: format!("the source `{name}`"),
                before: was.map(|path| print(path)),
                now: is.map(|path| print(path)),
            });
        }
    }
    let (was, is) = (inputs(&old), inputs(&new));
    for name in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
        match (was.get(name), is.get(name)) {
            (Some(was), Some(is)) => {
                way.push(format!("`{}`", name.trim_end_matches(".drv")));
                compare(store, was, is, way, seen, causes)?;
                way.pop();
            }
            (was, is) => causes.push(Cause {
                way: way.clone(),
                what: format!("the input `{}`", name.trim_end_matches(".drv")),
                before: was.map(|path| print(path)),
                now: is.map(|path| print(path)),
            }),
        }
    }
    Ok(())
}

fn sources(derivation: &Derivation) -> BTreeMap<&str, &StorePath> {
    derivation.input_sources.iter().map(|path| (path.name(), path)).collect()
}

fn inputs(derivation: &Derivation) -> BTreeMap<&str, &StorePath> {
    derivation.input_derivations.keys().map(|path| (path.name(), path)).collect()
}

/// What two derivations say differently themselves, apart from the hashes of what they are built from.
fn own_differences(old: &Derivation, new: &Derivation, way: &[String], causes: &mut Vec<Cause>) {
    let mut differ = |what: String, before: Option<String>, now: Option<String>| {
        if before.as_deref().map(without_hashes) != now.as_deref().map(without_hashes) {
            causes.push(Cause { way: way.to_vec(), what, before, now });
        }
    };
    let text = |bytes: &[u8]| Some(String::from_utf8_lossy(bytes).into_owned());
    differ("the system".to_owned(), text(&old.system), text(&new.system));
    differ("the builder".to_owned(), text(&old.builder), text(&new.builder));
    let words = |derivation: &Derivation| text(&derivation.arguments.join(&b' '));
    differ("the builder's arguments".to_owned(), words(old), words(new));
    let names =
        |derivation: &Derivation| Some(derivation.outputs.keys().cloned().collect::<Vec<_>>().join(" "));
    differ("the outputs".to_owned(), names(old), names(new));
    for name in old.environment.keys().chain(new.environment.keys()).collect::<BTreeSet<_>>() {
        let value = |derivation: &Derivation| derivation.environment.get(name).and_then(|value| text(value));
        differ(format!("the variable `{}`", String::from_utf8_lossy(name)), value(old), value(new));
    }
}

/// A text in which the hashes of store paths are all the same.
fn without_hashes(text: &str) -> String {
    let is_digit = |c: char| c.is_ascii_digit() || c.is_ascii_lowercase();
    let mut all = String::with_capacity(text.len());
    for (number, part) in text.split('/').enumerate() {
        if number > 0 {
            all.push('/');
        }
        match part.char_indices().nth(HASH_DIGITS) {
            Some((at, '-')) if part[..at].chars().all(is_digit) => {
                all.push('*');
                all.push_str(&part[at..]);
            }
            _ => all.push_str(part),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::without_hashes;

    #[test]
    fn hashes_of_paths_do_not_count() {
        let path = |digit: char| format!("-I/nix/store/{}-lib/include", digit.to_string().repeat(32));
        assert_eq!(without_hashes(&path('a')), without_hashes(&path('b')));
        assert_ne!(without_hashes("/nix/store/a-x"), without_hashes("/nix/store/b-x"));
    }
}
