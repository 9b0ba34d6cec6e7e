//! `<name>`: the search path.

use super::Row;
use crate::Coercion;
use crate::attrs;
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::symbols;
use crate::value::Value;

pub(super) const ROWS: &[Row] = &[Row("__findFile", 2, 3, find_file)];

/// The value of `builtins.nixPath`.
pub(super) fn value(evaluator: &mut Evaluator) -> EvalResult {
    let mut items = Vec::new();
    for (prefix, path) in evaluator.world().search_path() {
        let (prefix, path) = (evaluator.string(&prefix), evaluator.string(&path));
        items.push(evaluator.attrs(&[(symbols::PREFIX, prefix), (symbols::PATH, path)]));
    }
    Ok(evaluator.list(&items))
}

fn find_file(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let name = evaluator.expect_string(arguments[1])?;
    for item in evaluator.expect_list(arguments[0])? {
        let set = evaluator.expect_attrs(item)?;
        let prefix = match attrs::find(&evaluator.heap, set.handle(), symbols::PREFIX) {
            Some((slot, _)) => evaluator.expect_string(Value::reference(slot))?,
            None => String::new(),
        };
        let Some(rest) = below(&prefix, &name) else { continue };
        let path = evaluator.select(set, "path")?;
        let (path, _) = evaluator.coerce_to_string(path, Coercion { more: false, copy_to_store: false })?;
        let Some(path) = evaluator.world().resolve_search_path(&path)? else { continue };
        let candidate = crate::paths::canonical(&format!("{path}/{rest}"));
        if evaluator.exists(&candidate)? {
            return Ok(evaluator.path(&candidate));
        }
    }
    if let Some(rest) = below("nix", &name) {
        let own = format!("/__corepkgs__/{rest}");
        if super::own_file(&own).is_some() {
            return Ok(evaluator.path(&own));
        }
    }
    let (first, rest) = name.split_once('/').unwrap_or((&name, ""));
    if let Some(folder) = evaluator.world().own_folder(first).map(str::to_owned) {
        let candidate = crate::paths::canonical(&format!("{folder}/{rest}"));
        if evaluator.exists(&candidate)? {
            return Ok(evaluator.path(&candidate));
        }
    }
    if evaluator.settings.pure {
        return Err(EvalError::catchable(
            &diagnostics::impure::ENTRY,
            format!("`<{name}>` cannot be looked up in pure evaluation"),
        )
        .help("allow it with `--impure`, or name an input of the flake"));
    }
    Err(EvalError::catchable(
        &diagnostics::not_in_search_path::ENTRY,
        format!("`<{name}>` was not found in the search path"),
    )
    .help("add it to `NIX_PATH`, or with `-I name=path`"))
}

/// What of a name is below a prefix.
fn below<'a>(prefix: &str, name: &'a str) -> Option<&'a str> {
    if prefix.is_empty() {
        return Some(name);
    }
    let rest = name.strip_prefix(prefix)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
}
