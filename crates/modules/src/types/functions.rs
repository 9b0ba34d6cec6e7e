//! Types that call: values that are converted first, and functions whose results are merged.

use super::{check, merge};
use crate::definition::{Definition, effective};
use crate::location::Location;
use nival_eval::{EvalResult, Evaluator, Value};

/// Converts what is of the first type, and merges all by the final one.
pub(super) fn merge_coerced(
    ev: &mut Evaluator,
    option_type: Value,
    location: &Location,
    definitions: &[Definition],
) -> EvalResult<Value> {
    let from = ev.select(option_type, "coercedType")?;
    let convert = ev.select(option_type, "coerceFunc")?;
    let to = ev.select(option_type, "finalType")?;
    let mut converted = Vec::new();
    for definition in definitions {
        let value = if check(ev, from, definition.value)? {
            ev.call(convert, &[definition.value])?
        } else {
            definition.value
        };
        converted.push(Definition { value, ..definition.clone() });
    }
    merge(ev, to, location, &converted)
}

/// A function that merges what the defined functions return.
pub(super) fn merge_function(
    ev: &mut Evaluator,
    option_type: Value,
    location: &Location,
    definitions: &[Definition],
) -> EvalResult<Value> {
    let element_type = ev.select(option_type, "elemType")?;
    let mut captures = vec![element_type];
    captures.extend(definitions.iter().map(|definition| definition.value));
    let (place, definitions) = (location.child("<function body>"), definitions.to_vec());
    Ok(ev.function("functionTo", 1, &captures, move |ev, _, arguments| {
        let mut results = Vec::new();
        for definition in &definitions {
            let value = ev.call(definition.value, arguments)?;
            results.push(Definition { value, ..definition.clone() });
        }
        let effective = effective(ev, &results)?;
        let merged = merge(ev, element_type, &place, &effective.definitions)?;
        ev.force(merged)
    }))
}
