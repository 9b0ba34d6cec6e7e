//! Types that hold others: lists, sets, `null or`, alternatives.

use super::{check, conflict, element, merge};
use crate::definition::Definition;
use crate::diagnostics;
use crate::location::Location;
use nival_diagnostics::Span;
use nival_eval::{Attribute, EvalResult, Evaluator, Kind as ValueKind, Symbol, Value};

/// All lists, one behind the other; elements that are conditioned away are left out.
pub(super) fn merge_list(
    ev: &mut Evaluator,
    option_type: Value,
    location: &Location,
    definitions: &[Definition],
) -> EvalResult<Value> {
    let element_type = ev.select(option_type, "elemType")?;
    let mut all = Vec::new();
    for (n, definition) in definitions.iter().enumerate() {
        for (m, item) in ev.expect_list(definition.value)?.into_iter().enumerate() {
            let place = location.child(&format!("[definition {}-entry {}]", n + 1, m + 1));
            let single = [Definition { value: item, ..definition.clone() }];
            all.extend(element(ev, element_type, &place, &single)?);
        }
    }
    Ok(ev.list(&all))
}

type Named = (Symbol, Option<Span>, Vec<Definition>);

/// The definitions of each attribute, names sorted as the set sorts them.
fn by_name(ev: &mut Evaluator, definitions: &[Definition]) -> EvalResult<Vec<Named>> {
    let mut all: Vec<Named> = Vec::new();
    let mut places = rustc_hash::FxHashMap::default();
    for definition in definitions {
        for attribute in ev.attributes(definition.value)? {
            let item = definition.below(ev, &attribute);
            let at = *places.entry(attribute.name).or_insert_with(|| {
                all.push((attribute.name, item.position, Vec::new()));
                all.len() - 1
            });
            all[at].2.push(item);
        }
    }
    Ok(all)
}

/// A set whose names are settled now, and whose values are merged when they are wanted.
pub(super) fn merge_set(
    ev: &mut Evaluator,
    option_type: Value,
    location: &Location,
    definitions: &[Definition],
) -> EvalResult<Value> {
    let element_type = ev.select(option_type, "elemType")?;
    let mut attributes = Vec::new();
    for (name, position, found) in by_name(ev, definitions)? {
        let effective = crate::definition::effective(ev, &found)?;
        if effective.definitions.is_empty() {
            continue;
        }
        let place = location.child(ev.name(name));
        let mut captures = vec![element_type];
        captures.extend(effective.definitions.iter().map(|definition| definition.value));
        let definitions = effective.definitions;
        let value = ev.lazy(&captures, move |ev, _| merge(ev, element_type, &place, &definitions));
        attributes.push(Attribute { name, value, position });
    }
    Ok(ev.attrs_at(&attributes))
}

/// A set in which even whether a name has a value is settled when it is wanted.
pub(super) fn merge_lazy_elements(
    ev: &mut Evaluator,
    option_type: Value,
    location: &Location,
    definitions: &[Definition],
) -> EvalResult<Value> {
    let element_type = ev.select(option_type, "elemType")?;
    lazily(ev, location, definitions, Some(element_type))
}

/// A set of values of any kind, each defined once or equal, merged when it is wanted.
pub(crate) fn merge_lazy_set(
    ev: &mut Evaluator,
    location: &Location,
    definitions: &[Definition],
) -> EvalResult<Value> {
    let effective = crate::definition::effective(ev, definitions)?;
    lazily(ev, location, &effective.definitions, None)
}

fn lazily(
    ev: &mut Evaluator,
    location: &Location,
    definitions: &[Definition],
    element_type: Option<Value>,
) -> EvalResult<Value> {
    let mut attributes = Vec::new();
    for (name, position, found) in by_name(ev, definitions)? {
        let place = location.child(ev.name(name));
        let captures: Vec<Value> = element_type.into_iter().chain(found.iter().map(|d| d.value)).collect();
        let value = ev.lazy(&captures, move |ev, _| {
            let merged = match element_type {
                Some(element_type) => element(ev, element_type, &place, &found)?,
                None => {
                    let effective = crate::definition::effective(ev, &found)?;
                    match effective.definitions.as_slice() {
                        [] => None,
                        [only] => Some(only.value),
                        several => Some(super::scalars::equal(ev, &place, several)?),
                    }
                }
            };
            match merged {
                Some(value) => ev.force(value),
                None => {
                    match element_type.map(|t| super::empty_value(ev, t, &place)).transpose()?.flatten() {
                        Some(value) => Ok(value),
                        None => Err(conflict(
                            &diagnostics::undefined_option::ENTRY,
                            format!("the option has no value, and one is needed: `{place}`"),
                            &found,
                            &[],
                        )),
                    }
                }
            }
        });
        attributes.push(Attribute { name, value, position });
    }
    Ok(ev.attrs_at(&attributes))
}

/// `null` where all say so, the element's merge where none does.
pub(super) fn merge_nullable(
    ev: &mut Evaluator,
    option_type: Value,
    location: &Location,
    definitions: &[Definition],
) -> EvalResult<Value> {
    let mut nulls = 0;
    for definition in definitions {
        nulls += usize::from(ev.kind(definition.value)? == ValueKind::Null);
    }
    if nulls == definitions.len() {
        return Ok(Value::NULL);
    }
    if nulls > 0 {
        let message = format!("some definitions say `null` and others do not for the option `{location}`");
        return Err(conflict(&diagnostics::conflict::ENTRY, message, definitions, &[]));
    }
    let element_type = ev.select(option_type, "elemType")?;
    merge(ev, element_type, location, definitions)
}

/// The merge of the first alternative that takes all definitions.
pub(super) fn merge_either(
    ev: &mut Evaluator,
    option_type: Value,
    location: &Location,
    definitions: &[Definition],
) -> EvalResult<Value> {
    for side in ["left", "right"] {
        let alternative = ev.select(option_type, side)?;
        let mut fits = true;
        for definition in definitions {
            fits = fits && check(ev, alternative, definition.value)?;
        }
        if fits {
            return merge(ev, alternative, location, definitions);
        }
    }
    let message = format!("definitions are of kinds that cannot be merged for the option `{location}`");
    Err(conflict(&diagnostics::conflict::ENTRY, message, definitions, &[]))
}
