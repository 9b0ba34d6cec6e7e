//! Attribute sets.

use super::{Row, yes};
use crate::attrs;
use crate::error::EvalResult;
use crate::evaluator::Evaluator;
use crate::symbols;
use crate::value::{Value, tag};
use nival_syntax::Symbol;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

pub(super) const ROWS: &[Row] = &[
    Row("__attrNames", 1, 1, names),
    Row("__attrValues", 1, 1, values),
    Row("__getAttr", 2, 3, get),
    Row("__hasAttr", 2, 3, has),
    Row("removeAttrs", 2, 3, remove),
    Row("__listToAttrs", 1, 1, from_list),
    Row("__intersectAttrs", 2, 3, intersect),
    Row("__catAttrs", 2, 3, cat),
    Row("__mapAttrs", 2, 2, map),
    Row("__zipAttrsWith", 2, 2, zip),
    Row("__unsafeGetAttrPos", 2, 3, position),
];

fn names(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let set = evaluator.expect_attrs(arguments[0])?;
    let shape = attrs::shared_shape(&evaluator.heap, set.handle());
    if let Some(names) = shape.and_then(|shape| evaluator.outside.name_lists.get(&shape)) {
        return Ok(*names);
    }
    let mut entries = attrs::entries(&mut evaluator.heap, set.handle());
    evaluator.sort_by_name(&mut entries);
    let names: Vec<Value> = entries.iter().map(|(name, ..)| evaluator.name_value(*name)).collect();
    let names = evaluator.list(&names);
    if let Some(shape) = shape {
        evaluator.heap.keep(names.handle().max(shape));
        evaluator.outside.name_lists.insert(shape, names);
    }
    Ok(names)
}

fn values(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let set = evaluator.expect_attrs(arguments[0])?;
    let mut entries = attrs::entries(&mut evaluator.heap, set.handle());
    evaluator.sort_by_name(&mut entries);
    let values: Vec<Value> = entries.iter().map(|(.., slot)| attrs::load(&evaluator.heap, *slot)).collect();
    Ok(evaluator.list(&values))
}

fn get(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let name = evaluator.attribute_name(arguments[0])?;
    let set = evaluator.expect_attrs(arguments[1])?;
    match attrs::find(&evaluator.heap, set.handle(), name) {
        Some((slot, _)) => evaluator.force_slot(slot),
        None => Err(evaluator.missing_in(set.handle(), name)),
    }
}

fn has(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let name = evaluator.attribute_name(arguments[0])?;
    let set = evaluator.expect_attrs(arguments[1])?;
    yes(attrs::find(&evaluator.heap, set.handle(), name).is_some())
}

fn remove(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let set = evaluator.expect_attrs(arguments[0])?;
    let names = evaluator.forced_list(arguments[1])?;
    let mut removed = SmallVec::<[Symbol; 8]>::new();
    for index in 0..names.detail() {
        removed.push(evaluator.attribute_name(Value::reference(names.handle() + index))?);
    }
    removed.retain(|name| attrs::find(&evaluator.heap, set.handle(), *name).is_some());
    if removed.is_empty() {
        return Ok(set);
    }
    removed.sort_unstable();
    let kept: Vec<_> = attrs::entries(&mut evaluator.heap, set.handle())
        .into_iter()
        .filter(|(name, ..)| removed.binary_search(name).is_err())
        .map(|(name, position, slot)| (name, position, attrs::load(&evaluator.heap, slot)))
        .collect();
    Ok(Value::attrs(attrs::from_sorted(&mut evaluator.heap, &kept)))
}

fn from_list(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let list = evaluator.forced_list(arguments[0])?;
    let mut entries = Vec::with_capacity(list.detail() as usize);
    let (mut names, mut values) = (attrs::Finder::new(symbols::NAME), attrs::Finder::new(symbols::VALUE));
    for index in (0..list.detail()).rev() {
        evaluator.tick()?;
        let set = evaluator.expect_attrs(Value::reference(list.handle() + index))?.handle();
        let Some((slot, _)) = names.find(&evaluator.heap, set) else {
            return Err(evaluator.missing_in(set, symbols::NAME));
        };
        let name = evaluator.force_slot(slot)?;
        let name = evaluator.attribute_name(name)?;
        let Some((slot, position)) = values.find(&evaluator.heap, set) else {
            return Err(evaluator.missing_in(set, symbols::VALUE));
        };
        entries.push((name, position, attrs::load(&evaluator.heap, slot)));
    }
    // The first of two equal names wins: they were pushed last to first.
    Ok(Value::attrs(attrs::from_entries(&mut evaluator.heap, &mut entries)))
}

fn intersect(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let left = evaluator.expect_attrs(arguments[0])?.handle();
    let right = evaluator.expect_attrs(arguments[1])?.handle();
    let few = attrs::count_bound(&evaluator.heap, left) <= attrs::count_bound(&evaluator.heap, right);
    let mut kept = Vec::new();
    if few {
        for (name, ..) in attrs::entries(&mut evaluator.heap, left) {
            if let Some((slot, position)) = attrs::find(&evaluator.heap, right, name) {
                kept.push((name, position, attrs::load(&evaluator.heap, slot)));
            }
        }
    } else {
        for (name, position, slot) in attrs::entries(&mut evaluator.heap, right) {
            if attrs::find(&evaluator.heap, left, name).is_some() {
                kept.push((name, position, attrs::load(&evaluator.heap, slot)));
            }
        }
    }
    Ok(Value::attrs(attrs::from_sorted(&mut evaluator.heap, &kept)))
}

fn cat(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let name = evaluator.attribute_name(arguments[0])?;
    let list = evaluator.forced_list(arguments[1])?;
    let (mut found, mut finder) = (SmallVec::<[Value; 8]>::new(), attrs::Finder::new(name));
    for index in 0..list.detail() {
        let set = evaluator.expect_attrs(Value::reference(list.handle() + index))?;
        if let Some((slot, _)) = finder.find(&evaluator.heap, set.handle()) {
            found.push(attrs::load(&evaluator.heap, slot));
        }
    }
    Ok(evaluator.list(&found))
}

fn map(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let set = evaluator.expect_attrs(arguments[1])?;
    let flat = attrs::flatten(&mut evaluator.heap, set.handle());
    let shape = evaluator.heap.pair(flat).1;
    let mapped = attrs::new_set(&mut evaluator.heap, shape);
    let shared = evaluator.mapped(arguments[0], Value::attrs(flat));
    for index in 0..attrs::shape_len(&evaluator.heap, shape) {
        evaluator.heap.set(mapped + 1 + index, Value::new(tag::MAPPED, index, shared));
    }
    attrs::drop_positions(&mut evaluator.heap, mapped);
    Ok(Value::attrs(mapped))
}

fn zip(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    evaluator.expect_function(arguments[0])?;
    let mut found: FxHashMap<Symbol, Vec<Value>> = FxHashMap::default();
    for item in evaluator.expect_list(arguments[1])? {
        let set = evaluator.expect_attrs(item)?;
        for (name, _, slot) in attrs::entries(&mut evaluator.heap, set.handle()) {
            let value = attrs::load(&evaluator.heap, slot);
            found.entry(name).or_default().push(value);
        }
    }
    let mut entries = Vec::with_capacity(found.len());
    for (name, values) in found {
        let list = evaluator.list(&values);
        let text = evaluator.name_value(name);
        entries.push((name, 0, evaluator.lazy_call(arguments[0], &[text, list])));
    }
    Ok(Value::attrs(attrs::from_entries(&mut evaluator.heap, &mut entries)))
}

fn position(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let name = evaluator.attribute_name(arguments[0])?;
    let set = evaluator.expect_attrs(arguments[1])?;
    let span = attrs::find(&evaluator.heap, set.handle(), name)
        .and_then(|(_, position)| evaluator.name_span(name, position));
    Ok(span.map_or(Value::NULL, |span| evaluator.position_value(span)))
}
