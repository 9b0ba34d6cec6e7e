//! Why building something needs a path, so that it is built or downloaded.

use crate::commands::evaluation::Evaluation;
use crate::commands::installables::Installables;
use crate::context::Context;
use crate::dropin::usage;
use crate::error::Error;
use nival_build::Request;
use nival_store::LocalStore;
use nival_store_model::StorePath;
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::process::ExitCode;

/// The one derivation that a word means.
pub(super) fn derivation(context: &mut Context, word: &str, file: Option<&str>) -> Result<StorePath, Error> {
    let installables = Installables { file: file.map(str::to_owned), ..Installables::default() }.only(word);
    let requests = installables.wanted(context, &Evaluation::default())?;
    let store = context.store()?;
    match requests.as_slice() {
        [Request::Outputs(drv, _)] => Ok(drv.clone()),
        [Request::Path(path)] => {
            let deriver = store.info(path)?.and_then(|info| info.deriver);
            deriver.ok_or_else(|| usage(&format!("`{word}` was not built from a derivation that is known")))
        }
        _ => Err(usage(&format!("`{word}` stands for several derivations, and one is wanted"))),
    }
}

/// Shows the shortest way from a derivation through what it is built from to a path.
pub(super) fn tell(context: &mut Context, drv: &StorePath, path: &StorePath) -> Result<ExitCode, Error> {
    let store = context.store()?;
    let print = |path: &StorePath| store.dir().print(path);
    let Some(steps) = way(&store, drv, path)? else {
        let text = format!("building {} does not need {}", print(drv), print(path));
        context.output.result(&text, || json!({ "path": print(path), "for": print(drv), "way": null }));
        return Ok(ExitCode::FAILURE);
    };
    let is_here = store.is_valid(path)?;
    let mut text = format!(
        "{} is {} for {}:\n",
        print(path),
        if is_here { "here, and needed" } else { "built or downloaded" },
        print(drv)
    );
    for (depth, step) in steps.iter().enumerate() {
        let _ = writeln!(text, "{}└─ {}", "   ".repeat(depth), print(step));
    }
    let all: Vec<String> = steps.iter().map(print).collect();
    context.output.result(&text, || json!({ "path": print(path), "for": print(drv), "way": all }));
    Ok(ExitCode::SUCCESS)
}

/// The way: derivations first, then an output of the last one, then what that refers to as far as it is here.
fn way(store: &LocalStore, from: &StorePath, to: &StorePath) -> Result<Option<Vec<StorePath>>, Error> {
    let mut came: BTreeMap<StorePath, Option<StorePath>> = BTreeMap::from([(from.clone(), None)]);
    let mut todo = VecDeque::from([from.clone()]);
    while let Some(current) = todo.pop_front() {
        if current == *to {
            let mut steps = vec![current];
            while let Some(before) = steps.last().and_then(|last| came.get(last).cloned().flatten()) {
                steps.push(before);
            }
            steps.reverse();
            return Ok(Some(steps));
        }
        let mut next: Vec<StorePath> = Vec::new();
        if current.is_derivation() && store.is_valid(&current)? {
            let derivation = store.read_derivation(&current)?;
            next.extend(store.outputs_of(&current)?.into_values().flatten());
            next.extend(derivation.input_sources.iter().cloned());
            next.extend(derivation.input_derivations.into_keys());
        } else if let Some(info) = store.info(&current)? {
            next.extend(info.references);
        }
        for path in next {
            if !came.contains_key(&path) {
                came.insert(path.clone(), Some(current.clone()));
                todo.push_back(path);
            }
        }
    }
    Ok(None)
}
