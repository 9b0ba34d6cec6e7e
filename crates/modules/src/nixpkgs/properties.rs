//! `mkIf`, `mkMerge`, `mkOverride` and `mkOrder`: sets that say by their `_type` what they are.

use super::errors;
use super::lib::Lib;
use nival_eval::{EvalResult, Evaluator, Kind, Value};

/// What the `_type` of a value says, as far as properties go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// No set, or one without `_type`.
    None,
    If,
    Merge,
    Override,
    Order,
    Definition,
    Option,
    Other,
}

/// `value._type or ""`
pub(super) fn tag(ev: &mut Evaluator, lib: &Lib, value: Value) -> EvalResult<Tag> {
    let Some(tag) = ev.find_in(value, lib.names.tag)? else { return Ok(Tag::None) };
    let tag = ev.force(tag)?;
    Ok(match ev.text_of(tag) {
        Some(b"if") => Tag::If,
        Some(b"merge") => Tag::Merge,
        Some(b"override") => Tag::Override,
        Some(b"order") => Tag::Order,
        Some(b"definition") => Tag::Definition,
        Some(b"option") => Tag::Option,
        _ => Tag::Other,
    })
}

/// An attribute of a set, delayed where it is missing, as `set.name` is.
pub(super) fn part(ev: &mut Evaluator, set: Value, name: nival_eval::Symbol) -> EvalResult {
    match ev.find(set, name)? {
        Some(value) => Ok(value),
        None => Ok(ev.lazy_select(set, &[name])),
    }
}

/// `dischargeProperties def`
pub(super) fn discharge_properties(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let mut all = Vec::new();
    discharge(ev, lib, arguments[0], &mut all)?;
    Ok(ev.list(&all))
}

/// Takes off `mkMerge` and `mkIf`; what is conditioned away is left out.
pub(super) fn discharge(ev: &mut Evaluator, lib: &Lib, value: Value, all: &mut Vec<Value>) -> EvalResult<()> {
    match tag(ev, lib, value)? {
        Tag::Merge => {
            let contents = part(ev, value, lib.names.contents)?;
            for content in ev.expect_list(contents)? {
                discharge(ev, lib, content, all)?;
            }
        }
        Tag::If => {
            let condition = part(ev, value, lib.names.condition)?;
            if ev.kind(condition)? != Kind::Bool {
                return Err(errors::condition(ev, condition));
            }
            if ev.expect_bool(condition)? {
                let content = part(ev, value, lib.names.content)?;
                discharge(ev, lib, content, all)?;
            }
        }
        _ => all.push(value),
    }
    Ok(())
}

/// `pushDownProperties cfg`
pub(super) fn push_down_properties(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let mut all = Vec::new();
    push_down(ev, lib, arguments[0], &mut all)?;
    Ok(ev.list(&all))
}

/// Takes off `mkMerge`, and puts `mkIf` and `mkOverride` around the attributes instead of around the set.
pub(super) fn push_down(ev: &mut Evaluator, lib: &Lib, value: Value, all: &mut Vec<Value>) -> EvalResult<()> {
    let kind = tag(ev, lib, value)?;
    match kind {
        Tag::Merge => {
            let contents = part(ev, value, lib.names.contents)?;
            for content in ev.expect_list(contents)? {
                push_down(ev, lib, content, all)?;
            }
        }
        Tag::If | Tag::Override => {
            let what = if kind == Tag::If { lib.names.condition } else { lib.names.priority };
            let how = part(ev, value, what)?;
            let content = part(ev, value, lib.names.content)?;
            let mut inner = Vec::new();
            push_down(ev, lib, content, &mut inner)?;
            let word = ev.string(if kind == Tag::If { "if" } else { "override" });
            for set in inner {
                all.push(wrap_each(ev, lib, set, (word, what, how))?);
            }
        }
        _ => all.push(value),
    }
    Ok(())
}

/// Each attribute within a property; what is no set is left alone, whoever wants one says so.
fn wrap_each(
    ev: &mut Evaluator,
    lib: &Lib,
    set: Value,
    (word, what, how): (Value, nival_eval::Symbol, Value),
) -> EvalResult {
    if ev.kind(set)? != Kind::Attrs {
        return Ok(set);
    }
    let mut entries = ev.entries(set)?;
    for (_, _, value) in &mut entries {
        *value = ev.attrs(&[(lib.names.tag, word), (what, how), (lib.names.content, *value)]);
    }
    Ok(ev.attrs_of(&mut entries))
}
