//! The values of all options as one set, and the check that everything defined is declared.

use super::errors;
use super::lib::Lib;
use super::properties::{Tag, part, tag};
use nival_eval::{EvalResult, Evaluator, Kind, Value};

/// How many names are suggested.
const SUGGESTIONS: usize = 3;

/// `mapAttrsRecursiveCond (v: !isOption v) (_: v: v.value) options`
pub(super) fn declared_config(ev: &mut Evaluator, lib: &Lib, options: Value) -> EvalResult {
    let mut entries = ev.entries(options)?;
    for (_, place, value) in &mut entries {
        *place = 0;
        *value = lib.later(ev, |all| all.select_value, &[*value]);
    }
    Ok(ev.attrs_of(&mut entries))
}

/// The value of an option, or the set of those below a folder.
pub(super) fn value_of(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let option = arguments[0];
    if ev.kind(option)? == Kind::Attrs && tag(ev, lib, option)? != Tag::Option {
        return declared_config(ev, lib, option);
    }
    part(ev, option, lib.names.value)
}

/// `checkUnmatched`: `null`, or the error for the first definition that no option stands for.
pub(super) fn check_unmatched(ev: &mut Evaluator, lib: &Lib, scope: Value) -> EvalResult {
    let config = ev.select(scope, "config")?;
    let module = ev.select(config, "_module")?;
    let check = ev.select(module, "check")?;
    if !ev.expect_bool(check)? || ev.select(module, "freeformType")? != Value::NULL {
        return Ok(Value::NULL);
    }
    let merged = ev.select(scope, "merged")?;
    let unmatched = part(ev, merged, lib.names.unmatched)?;
    let Some(def) = ev.expect_list(unmatched)?.first().copied() else { return Ok(Value::NULL) };
    let options = ev.select(scope, "options")?;
    let prefix = ev.select(scope, "prefix")?;
    let own = part(ev, def, lib.names.prefix)?;
    let own = ev.expect_list(own)?;
    let mut location = ev.expect_list(prefix)?;
    location.extend(&own);
    let location = ev.list(&location);
    let name = errors::location(ev, location)?;
    let near = near(ev, options, &own)?;
    let parent = name.rfind('.').map_or("", |at| &name[..=at]).to_owned();
    let near: Vec<String> = near.iter().map(|sibling| format!("`{parent}{sibling}`")).collect();
    let nothing = ev.entries(options)?.len() <= 1;
    Err(errors::unknown(ev, lib, (location, &name), (def, &near), nothing))
}

/// The names beside an unknown one that are most like it.
fn near(ev: &mut Evaluator, options: Value, path: &[Value]) -> EvalResult<Vec<String>> {
    let Some((last, parents)) = path.split_last() else { return Ok(Vec::new()) };
    let mut inside = options;
    for parent in parents {
        let parent = ev.expect_string_context(*parent)?.0;
        match ev.select_opt(inside, &parent)? {
            Some(value) if ev.kind(value)? == Kind::Attrs => inside = value,
            _ => return Ok(Vec::new()),
        }
    }
    let wrong = ev.expect_string_context(*last)?.0;
    let mut all = Vec::new();
    for (name, ..) in ev.entries(inside)? {
        let name = ev.name(name).to_owned();
        let likeness = strsim::jaro_winkler(&wrong, &name);
        if likeness > 0.8 && name != "_module" {
            all.push((likeness, name));
        }
    }
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    Ok(all.into_iter().take(SUGGESTIONS).map(|(_, name)| name).collect())
}
