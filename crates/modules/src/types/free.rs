//! Types that take anything: `unspecified`, `anything`, `attrs`.

use super::scalars;
use crate::definition::{Definition, effective};
use crate::diagnostics;
use crate::location::Location;
use nival_diagnostics::Diagnostic;
use nival_eval::{Attribute, EvalError, EvalResult, Evaluator, Kind as ValueKind, Value};

/// All sets, the later ones over the earlier.
pub(super) fn update_all(ev: &mut Evaluator, definitions: &[Definition]) -> EvalResult<Value> {
    let mut all = ev.attrs(&[]);
    for definition in definitions {
        all = ev.update(all, definition.value)?;
    }
    Ok(all)
}

/// The merge of an option without a type: lists and texts are joined, sets united, switches are on if one is.
pub(crate) fn merge_unspecified(
    ev: &mut Evaluator,
    location: &Location,
    definitions: &[Definition],
) -> EvalResult<Value> {
    if let [only] = definitions {
        return Ok(only.value);
    }
    match common_kind(ev, definitions)? {
        Some(ValueKind::List) => {
            let mut all = Vec::new();
            for definition in definitions {
                all.extend(ev.expect_list(definition.value)?);
            }
            Ok(ev.list(&all))
        }
        Some(ValueKind::Attrs) => update_all(ev, definitions),
        Some(ValueKind::Bool) => {
            let mut any = false;
            for definition in definitions {
                any |= ev.expect_bool(definition.value)?;
            }
            Ok(Value::bool(any))
        }
        Some(ValueKind::String) => {
            let (mut text, mut context) = (String::new(), nival_eval::ContextId::EMPTY);
            for definition in definitions {
                let (part, with) = ev.expect_string_context(definition.value)?;
                text.push_str(&part);
                context = ev.join_contexts(context, with);
            }
            Ok(ev.string_with(&text, context))
        }
        _ => scalars::equal(ev, location, definitions),
    }
}

/// The merge of `anything`: sets are merged attribute by attribute, all else must be equal.
pub(super) fn merge_anything(
    ev: &mut Evaluator,
    location: &Location,
    definitions: &[Definition],
) -> EvalResult<Value> {
    let common = common_kind(ev, definitions)?;
    if common != Some(ValueKind::Attrs) {
        return match definitions {
            [only] => Ok(only.value),
            _ if common == Some(ValueKind::Function) => Ok(merge_functions(ev, location, definitions)),
            _ => scalars::equal(ev, location, definitions),
        };
    }
    let mut by_name: Vec<(nival_eval::Symbol, Vec<Definition>)> = Vec::new();
    for definition in definitions {
        for attribute in ev.attributes(definition.value)? {
            let item = definition.below(ev, &attribute);
            match by_name.iter_mut().find(|(name, _)| *name == attribute.name) {
                Some((_, all)) => all.push(item),
                None => by_name.push((attribute.name, vec![item])),
            }
        }
    }
    let mut attributes = Vec::new();
    for (name, found) in by_name {
        let place = location.child(ev.name(name));
        let position = found.first().and_then(|definition| definition.position);
        let captures: Vec<Value> = found.iter().map(|definition| definition.value).collect();
        let value = ev.lazy(&captures, move |ev, _| {
            let effective = effective(ev, &found)?;
            if effective.definitions.is_empty() {
                return Err(nothing_left(&place, &found));
            }
            let merged = merge_anything(ev, &place, &effective.definitions)?;
            ev.force(merged)
        });
        attributes.push(Attribute { name, value, position });
    }
    Ok(ev.attrs_at(&attributes))
}

/// The error for a name all of whose definitions are conditioned away.
fn nothing_left(place: &Location, definitions: &[Definition]) -> EvalError {
    let mut diagnostic = Diagnostic::error(
        &diagnostics::undefined_option::ENTRY,
        format!("the option has no value, and one is needed: `{place}`"),
    );
    for span in definitions.iter().filter_map(|definition| definition.position) {
        diagnostic = diagnostic.label(span, "its condition does not hold");
    }
    EvalError::thrown(diagnostic.help(format!("set it: `{place} = ...;`")))
}

/// A function that merges what several return.
fn merge_functions(ev: &mut Evaluator, location: &Location, definitions: &[Definition]) -> Value {
    let captures: Vec<Value> = definitions.iter().map(|definition| definition.value).collect();
    let (location, definitions) = (location.clone(), definitions.to_vec());
    ev.function("anything", 1, &captures, move |ev, _, arguments| {
        let mut results = Vec::new();
        for definition in &definitions {
            let value = ev.call(definition.value, arguments)?;
            results.push(Definition { value, ..definition.clone() });
        }
        let merged = merge_anything(ev, &location, &results)?;
        ev.force(merged)
    })
}

fn common_kind(ev: &mut Evaluator, definitions: &[Definition]) -> EvalResult<Option<ValueKind>> {
    let mut common = None;
    for definition in definitions {
        let kind = ev.kind(definition.value)?;
        match common {
            None => common = Some(kind),
            Some(other) if other != kind => return Ok(None),
            Some(_) => {}
        }
    }
    Ok(common)
}
