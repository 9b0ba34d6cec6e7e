//! `mergeDefinitions` and `evalOptionValue`: from what modules define to one value.
//!
//! Definitions are sets `{ file; value; }`, as types are handed them; the attribute `value` knows where the user
//! wrote it. What is delayed here is what the library delays: priorities can be known before orders are looked at,
//! orders before values are checked.

use super::errors;
use super::lib::Lib;
use super::properties::{Tag, discharge, part, tag};
use nival_eval::{EvalResult, Evaluator, Symbol, Value};

/// The priority of a definition without `mkOverride`.
const DEFAULT_PRIORITY: i64 = 100;
/// What no priority is weaker than.
const WEAKEST: f64 = 9999.0;
/// The order of a definition without `mkOrder`.
const DEFAULT_ORDER: f64 = 1000.0;
/// The priority of an option's own `default`.
const OPTION_DEFAULT: i64 = 1500;

/// `mergeDefinitions loc type defs`
pub(super) fn merge_definitions(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let (location, option_type, defs) = (arguments[0], arguments[1], arguments[2]);
    let filtered = lib.later(ev, |all| all.filtered, &[defs]);
    let parts = Parts::new(ev, lib, location, option_type, filtered);
    let names = lib.names;
    let with_priority = lib.later(ev, |all| all.with_priority, &[parts.finals, filtered]);
    let optional = lib.later(ev, |all| all.optional, &[parts.finals, parts.merged]);
    let is_defined = lib.later(ev, |all| all.is_defined, &[parts.finals]);
    Ok(ev.attrs(&[
        (names.defs_final_with_priority, with_priority),
        (names.defs_final, parts.finals),
        (names.merged_value, parts.merged),
        (names.checked_and_merged, parts.checked),
        (names.is_defined, is_defined),
        (names.optional_value, optional),
    ]))
}

/// What is made of the definitions of one option, delayed.
struct Parts {
    finals: Value,
    checked: Value,
    merged: Value,
}

impl Parts {
    fn new(ev: &mut Evaluator, lib: &Lib, location: Value, option_type: Value, filtered: Value) -> Self {
        let finals = lib.later(ev, |all| all.finals, &[filtered]);
        let checked = lib.later(ev, |all| all.checked, &[location, option_type, finals]);
        let merged = lib.later(ev, |all| all.merged, &[location, option_type, finals, checked]);
        Self { finals, checked, merged }
    }
}

/// The attributes that `evalOptionValue` adds to a declared option: name and value of each.
pub(super) fn evaluated(
    ev: &mut Evaluator,
    lib: &Lib,
    (location, option, option_type): (Value, Value, Value),
    defs: Value,
) -> EvalResult<[(Symbol, Value); 8]> {
    let names = lib.names;
    let filtered = lib.later(ev, |all| all.option_filtered, &[location, option, defs]);
    let parts = Parts::new(ev, lib, location, option_type, filtered);
    let value = lib.later(ev, |all| all.option_value, &[location, option, parts.merged]);
    let priority = lib.later(ev, |all| all.first, &[filtered]);
    let definitions = lib.later(ev, |all| all.values, &[parts.finals]);
    let files = lib.later(ev, |all| all.files, &[parts.finals]);
    let is_defined = lib.later(ev, |all| all.is_defined, &[parts.finals]);
    let meta = lib.later(ev, |all| all.meta, &[parts.checked]);
    let shown = lib.given(ev, |all| all.shown, &[location])?;
    Ok([
        (names.value, value),
        (names.highest_prio, priority),
        (names.definitions, definitions),
        (names.files, files),
        (names.definitions_with_locations, parts.finals),
        (names.is_defined, is_defined),
        (names.value_meta, meta),
        (names.to_string, shown),
    ])
}

/// The definitions of an option with its default, filtered by priority.
pub(super) fn option_filtered(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let (location, option, defs) = (arguments[0], arguments[1], arguments[2]);
    let names = lib.names;
    let mut all = Vec::new();
    if let Some(default) = ev.find(option, names.default)? {
        let declarations = part(ev, option, names.declarations)?;
        let (head, word) = (ev.lazy(&[declarations], first_of), ev.string("override"));
        let priority = ev.int(OPTION_DEFAULT);
        let value = ev.attrs(&[(names.tag, word), (names.priority, priority), (names.content, default)]);
        all.push(ev.attrs(&[(names.file, head), (names.value, value)]));
    }
    all.extend(ev.expect_list(defs)?);
    if let Some(read_only) = ev.find(option, names.read_only)?
        && ev.expect_bool(read_only)?
        && all.len() > 1
    {
        return Err(errors::read_only(ev, lib, location, &all));
    }
    filter(ev, lib, all)
}

fn first_of(ev: &mut Evaluator, captures: &[Value]) -> EvalResult {
    let all = ev.expect_list(captures[0])?;
    Ok(all.first().copied().unwrap_or(Value::NULL))
}

/// Definitions filtered by priority: a list of the priority and the list of those that have it.
pub(super) fn filtered(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let defs = ev.expect_list(arguments[0])?;
    filter(ev, lib, defs)
}

fn filter(ev: &mut Evaluator, lib: &Lib, defs: Vec<Value>) -> EvalResult {
    let names = lib.names;
    if let [only] = defs.as_slice() {
        let value = part(ev, *only, names.value)?;
        if ev.find_in(value, names.tag)?.is_none() {
            let (priority, defs) = (ev.int(DEFAULT_PRIORITY), ev.list(&defs));
            return Ok(ev.list(&[priority, defs]));
        }
    }
    let all = normalize(ev, lib, &defs)?;
    if let [only] = all.as_slice() {
        let value = part(ev, *only, names.value)?;
        let (priority, only) = if tag(ev, lib, value)? == Tag::Override {
            (part(ev, value, names.priority)?, with_value(ev, lib, *only, value, None)?)
        } else {
            (ev.int(DEFAULT_PRIORITY), *only)
        };
        let only = ev.list(&[only]);
        return Ok(ev.list(&[priority, only]));
    }
    strongest(ev, lib, &all)
}

/// Takes `mkMerge` and `mkIf` off all definitions.
fn normalize(ev: &mut Evaluator, lib: &Lib, defs: &[Value]) -> EvalResult<Vec<Value>> {
    let names = lib.names;
    let mut all = Vec::new();
    let mut values = Vec::new();
    for def in defs {
        let value = part(ev, *def, names.value)?;
        discharge(ev, lib, value, &mut values).map_err(|error| {
            error.frame(errors::place(ev, lib, *def), "while evaluating this definition".to_owned())
        })?;
        let bare = !matches!(tag(ev, lib, value)?, Tag::Merge | Tag::If) && ev.entries(*def)?.len() == 2;
        for inner in values.drain(..) {
            if tag(ev, lib, inner)? == Tag::Definition {
                all.push(inner);
            } else if bare {
                all.push(*def);
            } else {
                let file = part(ev, *def, names.file)?;
                let place = ev.place_of(*def, names.value)?;
                all.push(ev.attrs_of(&mut vec![(names.file, 0, file), (names.value, place, inner)]));
            }
        }
    }
    Ok(all)
}

/// A definition with what is inside of its property, and perhaps its order.
fn with_value(
    ev: &mut Evaluator,
    lib: &Lib,
    def: Value,
    property: Value,
    order: Option<Value>,
) -> EvalResult {
    let names = lib.names;
    let content = part(ev, property, names.content)?;
    let place = ev.place_of(def, names.value)?;
    let mut entries = ev.entries(def)?;
    entries.push((names.value, place, content));
    entries.extend(order.map(|order| (names.priority, 0, order)));
    Ok(ev.attrs_of(&mut entries))
}

fn strongest(ev: &mut Evaluator, lib: &Lib, all: &[Value]) -> EvalResult {
    let names = lib.names;
    let mut strongest = WEAKEST;
    let mut shown = None;
    let mut each = Vec::with_capacity(all.len());
    for def in all {
        let value = part(ev, *def, names.value)?;
        let property = (tag(ev, lib, value)? == Tag::Override).then_some(value);
        let priority = match property {
            Some(value) => part(ev, value, names.priority)?,
            None => ev.int(DEFAULT_PRIORITY),
        };
        let number = ev.expect_float(priority)?;
        if number < strongest {
            (strongest, shown) = (number, Some(priority));
        }
        each.push((*def, property, number));
    }
    let mut kept = Vec::new();
    for (def, property, number) in each {
        if number == strongest {
            kept.push(match property {
                Some(property) => with_value(ev, lib, def, property, None)?,
                None => def,
            });
        }
    }
    let priority = shown.unwrap_or_else(|| ev.int(WEAKEST as i64));
    let kept = ev.list(&kept);
    Ok(ev.list(&[priority, kept]))
}

/// The filtered definitions in their order.
pub(super) fn finals(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let names = lib.names;
    let filtered = ev.expect_list(arguments[0])?;
    let Some(list) = filtered.get(1).copied() else { return Ok(ev.list(&[])) };
    let defs = ev.expect_list(list)?;
    if let [only] = defs.as_slice() {
        let value = part(ev, *only, names.value)?;
        if ev.find_in(value, names.tag)?.is_none() {
            return Ok(list);
        }
    }
    let mut ordered = Vec::with_capacity(defs.len());
    let mut any = false;
    for def in defs {
        let value = part(ev, def, names.value)?;
        let is_order = tag(ev, lib, value)? == Tag::Order;
        any |= is_order;
        ordered.push((def, is_order.then_some(value), DEFAULT_ORDER));
    }
    if !any {
        return Ok(list);
    }
    let several = ordered.len() > 1;
    for (def, property, order) in &mut ordered {
        if let Some(property) = property {
            let priority = part(ev, *property, names.priority)?;
            *def = with_value(ev, lib, *def, *property, Some(priority))?;
        }
        // One alone is compared with nothing.
        if several && let Some(priority) = ev.find(*def, names.priority)? {
            *order = ev.expect_float(priority)?;
        }
    }
    ordered.sort_by(|a, b| a.2.total_cmp(&b.2));
    let all: Vec<Value> = ordered.into_iter().map(|(def, ..)| def).collect();
    Ok(ev.list(&all))
}

/// The priority of what was filtered.
pub(super) fn first(ev: &mut Evaluator, _: &Lib, arguments: &[Value]) -> EvalResult {
    first_of(ev, arguments)
}

/// `defsFinal'`: the definitions, and the priority that they have.
pub(super) fn with_priority(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let priority = lib.later(ev, |all| all.first, &[arguments[1]]);
    Ok(ev.attrs(&[(lib.names.values, arguments[0]), (lib.names.highest_prio, priority)]))
}

/// `isDefined`
pub(super) fn is_defined(ev: &mut Evaluator, _: &Lib, arguments: &[Value]) -> EvalResult {
    Ok(Value::bool(!ev.expect_list(arguments[0])?.is_empty()))
}

/// `optionalValue`
pub(super) fn optional(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    if ev.expect_list(arguments[0])?.is_empty() {
        return Ok(ev.attrs(&[]));
    }
    Ok(ev.attrs(&[(lib.names.value, arguments[1])]))
}

/// The values of definitions.
pub(super) fn values(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    each(ev, arguments[0], lib.names.value)
}

/// The files of definitions.
pub(super) fn files(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    each(ev, arguments[0], lib.names.file)
}

fn each(ev: &mut Evaluator, list: Value, name: Symbol) -> EvalResult {
    let mut all = ev.expect_list(list)?;
    for def in &mut all {
        *def = if ev.is_forced(*def) { part(ev, *def, name)? } else { ev.lazy_select(*def, &[name]) };
    }
    Ok(ev.list(&all))
}

/// The text of an option: its name.
pub(super) fn shown(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let _ = lib;
    let text = errors::location(ev, arguments[0])?;
    Ok(ev.string(&text))
}

/// The function `merge.v2` of a type that has one.
fn second_merge(ev: &mut Evaluator, lib: &Lib, option_type: Value) -> EvalResult<Option<Value>> {
    let merge = part(ev, option_type, lib.names.merge)?;
    ev.find_in(merge, lib.names.v2)
}

/// `mergedValue`
pub(super) fn merged(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let (location, option_type, finals, checked) = (arguments[0], arguments[1], arguments[2], arguments[3]);
    let names = lib.names;
    let defs = ev.expect_list(finals)?;
    if defs.is_empty() {
        if lib.edition == super::lib::Edition::Early2026 {
            let empty = part(ev, option_type, names.empty_value)?;
            if let Some(value) = ev.find_in(empty, names.value)? {
                return Ok(value);
            }
        }
        return Err(errors::undefined(ev, location));
    }
    if second_merge(ev, lib, option_type)?.is_none() {
        return merged_by_first(ev, lib, (location, option_type), (finals, &defs));
    }
    let error = part(ev, checked, names.head_error)?;
    if ev.force(error)? != Value::NULL {
        return Err(errors::wrong_type(ev, lib, (location, option_type), &defs, Some(error)));
    }
    ev.find(checked, names.value).map(|value| value.unwrap_or(Value::NULL))
}

fn merged_by_first(
    ev: &mut Evaluator,
    lib: &Lib,
    (location, option_type): (Value, Value),
    (finals, defs): (Value, &[Value]),
) -> EvalResult {
    let names = lib.names;
    let check = part(ev, option_type, names.check)?;
    for def in defs {
        let value = part(ev, *def, names.value)?;
        let fits = ev.call(check, &[value])?;
        if !ev.expect_bool(fits)? {
            return Err(errors::wrong_type(ev, lib, (location, option_type), defs, None));
        }
    }
    let merge = part(ev, option_type, names.merge)?;
    ev.call(merge, &[location, finals])
}

/// `checkedAndMerged`
pub(super) fn checked(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let (location, option_type, finals) = (arguments[0], arguments[1], arguments[2]);
    let names = lib.names;
    let Some(merge) = second_merge(ev, lib, option_type)? else {
        let meta = ev.attrs(&[]);
        let arguments = [location, option_type, finals, Value::NULL];
        let value = lib.later(ev, |all| all.merged, &arguments);
        let all = [(names.head_error, Value::NULL), (names.value, value), (names.value_meta, meta)];
        return Ok(ev.attrs(&all));
    };
    if lib.edition == super::lib::Edition::Early2026 {
        coherent(ev, lib, location, option_type)?;
    }
    let request = ev.attrs(&[(names.loc, location), (names.defs, finals)]);
    let result = ev.call(merge, &[request])?;
    let meta = part(ev, result, names.value_meta)?;
    let meta = lib.later(ev, |all| all.internal_meta, &[meta, option_type]);
    let meta = ev.attrs(&[(names.value_meta, meta)]);
    let result = ev.update(result, meta)?;
    let mut wanted = vec![names.head_error, names.value, names.value_meta];
    for (name, ..) in ev.entries(result)? {
        match wanted.iter().position(|known| *known == name) {
            Some(at) => {
                wanted.swap_remove(at);
            }
            None => return Err(errors::malformed_merge(ev, location, name, false)),
        }
    }
    match wanted.first() {
        Some(name) => Err(errors::malformed_merge(ev, location, *name, true)),
        None => Ok(result),
    }
}

/// Refuses types whose `check` was replaced without their `merge` knowing of it.
fn coherent(ev: &mut Evaluator, lib: &Lib, location: Value, option_type: Value) -> EvalResult<()> {
    let check = part(ev, option_type, lib.names.check)?;
    if let Some(coherent) = ev.find_in(check, lib.names.is_coherent)?
        && ev.expect_bool(coherent)?
    {
        return Ok(());
    }
    Err(errors::incoherent(ev, lib, location, option_type))
}

/// What a type tells of a value, with the type.
pub(super) fn internal_meta(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let internal = ev.attrs(&[(lib.names.type_, arguments[1])]);
    let internal = ev.attrs(&[(lib.names.internal, internal)]);
    ev.update(arguments[0], internal)
}

/// `checkedAndMerged.valueMeta`
pub(super) fn meta(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    part(ev, arguments[0], lib.names.value_meta)
}

/// The value of an option: what was merged, through the option's `apply`.
pub(super) fn option_value(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let (location, option, merged) = (arguments[0], arguments[1], arguments[2]);
    let result = match ev.find(option, lib.names.apply)? {
        Some(apply) => ev.call(apply, &[merged]),
        None => ev.force(merged),
    };
    result.map_err(|error| errors::in_option(ev, location, error))
}
