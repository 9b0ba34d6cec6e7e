//! Types of the user's own: `check` and `merge` are functions of the language.

use super::scalars;
use crate::definition::Definition;
use crate::location::Location;
use nival_eval::{EvalResult, Evaluator, Kind, Value};

/// Calls the type's `merge` with the option's path and `[ { file; value; } ]`; without one, values must be equal.
pub(super) fn merge(
    ev: &mut Evaluator,
    option_type: Value,
    location: &Location,
    definitions: &[Definition],
) -> EvalResult<Value> {
    let Some(function) = ev.select_opt(option_type, "merge")? else {
        return scalars::equal(ev, location, definitions);
    };
    let names: Vec<_> = location.names().iter().map(|name| ev.string(name)).collect();
    let names = ev.list(&names);
    let mut items = Vec::new();
    for definition in definitions {
        let (file, value) = (ev.symbol("file"), ev.symbol("value"));
        let file_name = ev.string(&definition.file);
        items.push(ev.attrs(&[(file, file_name), (value, definition.value)]));
    }
    let items = ev.list(&items);
    ev.call(function, &[names, items])
}

/// Whether a type merges by a function of the language: one of the user's own, or one of the library with another `merge`.
pub(super) fn merges(ev: &mut Evaluator, option_type: Value) -> EvalResult<bool> {
    let Some(function) = ev.select_opt(option_type, "merge")? else { return Ok(false) };
    // What the library gives its own types is a set that can be called.
    Ok(ev.kind(function)? != Kind::Attrs || ev.select_opt(function, "_native")?.is_none())
}

/// Types of the same name go together, and those that say themselves how.
pub(super) fn merge_types(ev: &mut Evaluator, left: Value, right: Value) -> EvalResult<Option<Value>> {
    if let Some(join) = ev.select_opt(left, "_join")? {
        let joined = ev.call(join, &[right])?;
        return Ok((ev.kind(joined)? != Kind::Null).then_some(joined));
    }
    let mut names = Vec::new();
    for side in [left, right] {
        let name = ev.select(side, "name")?;
        names.push(ev.expect_string_context(name)?.0);
    }
    Ok((names[0] == names[1]).then_some(left))
}
