//! Lists.

use super::{Row, yes};
use crate::attrs;
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::heap::Content;
use crate::symbols;
use crate::value::{Value, tag};
use rustc_hash::FxHashMap;

pub(super) const ROWS: &[Row] = &[
    Row("map", 2, 2, map),
    Row("__filter", 2, 2, filter),
    Row("__foldl'", 3, 4, fold),
    Row("__head", 1, 1, head),
    Row("__tail", 1, 1, tail),
    Row("__elemAt", 2, 3, element_at),
    Row("__length", 1, 1, length),
    Row("__elem", 2, 2, element),
    Row("__concatLists", 1, 1, concat_lists),
    Row("__concatMap", 2, 3, concat_map),
    Row("__all", 2, 3, |e, a| any_or_all(e, a, false)),
    Row("__any", 2, 3, |e, a| any_or_all(e, a, true)),
    Row("__genList", 2, 2, generate),
    Row("__partition", 2, 3, partition),
    Row("__groupBy", 2, 3, group_by),
    Row("__genericClosure", 1, 1, generic_closure),
];

fn map(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let list = evaluator.forced_list(arguments[1])?;
    let len = list.detail();
    if len == 0 {
        return Ok(list);
    }
    evaluator.expect_function(arguments[0])?;
    let shared = evaluator.mapped(arguments[0], list);
    let first = evaluator.heap.allocate(Content::Values, len as usize);
    for index in 0..len {
        evaluator.tick()?;
        evaluator.heap.set(first + index, Value::new(tag::MAPPED, index, shared));
    }
    Ok(Value::list(first, len as usize))
}

fn filter(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let list = evaluator.forced_list(arguments[1])?;
    if list.detail() == 0 {
        return Ok(list);
    }
    let predicate = evaluator.expect_function(arguments[0])?;
    let mut kept = Vec::new();
    for index in 0..list.detail() {
        let item = attrs::load(&evaluator.heap, list.handle() + index);
        let result = evaluator.call(predicate, &[item])?;
        if evaluator.expect_bool(result)? {
            kept.push(item);
        }
    }
    if kept.len() == list.detail() as usize {
        return Ok(list);
    }
    Ok(evaluator.list(&kept))
}

fn fold(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let list = evaluator.forced_list(arguments[2])?;
    let function = evaluator.expect_function(arguments[0])?;
    if list.detail() == 0 {
        return Ok(arguments[1]);
    }
    let mut accumulated = arguments[1];
    for index in 0..list.detail() {
        let item = attrs::load(&evaluator.heap, list.handle() + index);
        accumulated = evaluator.call(function, &[accumulated, item])?;
    }
    Ok(accumulated)
}

fn out_of_bounds(index: i64, len: u32) -> EvalError {
    EvalError::of(
        &diagnostics::out_of_bounds::ENTRY,
        format!("the list has {len} elements, so there is none at index `{index}`"),
    )
}

fn head(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let list = evaluator.forced_list(arguments[0])?;
    if list.detail() == 0 {
        return Err(EvalError::of(
            &diagnostics::out_of_bounds::ENTRY,
            "the list is empty: it has no first element",
        ));
    }
    evaluator.force_slot(list.handle())
}

fn tail(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let list = evaluator.forced_list(arguments[0])?;
    match list.detail() {
        0 => Err(EvalError::of(&diagnostics::out_of_bounds::ENTRY, "the list is empty: it has no tail")),
        len => Ok(Value::list(list.handle() + 1, len as usize - 1)),
    }
}

fn element_at(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let list = evaluator.forced_list(arguments[0])?;
    let index = evaluator.expect_int(arguments[1])?;
    if index < 0 || index >= i64::from(list.detail()) {
        return Err(out_of_bounds(index, list.detail()));
    }
    evaluator.force_slot(list.handle() + index as u32)
}

fn length(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let list = evaluator.forced_list(arguments[0])?;
    Ok(evaluator.int(i64::from(list.detail())))
}

fn element(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let list = evaluator.forced_list(arguments[1])?;
    for index in 0..list.detail() {
        let item = attrs::load(&evaluator.heap, list.handle() + index);
        let is_equal = match evaluator.equal_known_texts(arguments[0], item) {
            Some(is_equal) => is_equal,
            None => evaluator.equal(arguments[0], item)?,
        };
        if is_equal {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

fn concat_lists(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let list = evaluator.forced_list(arguments[0])?;
    let mut lists = Vec::with_capacity(list.detail() as usize);
    for index in 0..list.detail() {
        let item = attrs::load(&evaluator.heap, list.handle() + index);
        evaluator.tick()?;
        lists.push(evaluator.forced_list(item)?);
    }
    Ok(evaluator.concat(&lists))
}

fn concat_map(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let function = evaluator.expect_function(arguments[0])?;
    let list = evaluator.forced_list(arguments[1])?;
    let mut lists = Vec::with_capacity(list.detail() as usize);
    for index in 0..list.detail() {
        let item = attrs::load(&evaluator.heap, list.handle() + index);
        let result = evaluator.call(function, &[item])?;
        lists.push(evaluator.forced_list(result)?);
    }
    Ok(evaluator.concat(&lists))
}

fn any_or_all(evaluator: &mut Evaluator, arguments: &[Value], wanted: bool) -> EvalResult {
    let function = evaluator.expect_function(arguments[0])?;
    let list = evaluator.forced_list(arguments[1])?;
    for index in 0..list.detail() {
        let item = attrs::load(&evaluator.heap, list.handle() + index);
        let result = evaluator.call(function, &[item])?;
        if evaluator.expect_bool(result)? == wanted {
            return yes(wanted);
        }
    }
    yes(!wanted)
}

fn generate(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let len = evaluator.expect_int(arguments[1])?;
    if !(0..=i64::from(crate::value::MAX_DETAIL)).contains(&len) {
        return Err(EvalError::of(
            &diagnostics::invalid_argument::ENTRY,
            format!("cannot make a list of length `{len}`"),
        ));
    }
    evaluator.expect_function(arguments[0])?;
    if len == 0 {
        return Ok(evaluator.list(&[]));
    }
    let shared = evaluator.mapped(arguments[0], Value::NULL);
    let first = evaluator.heap.allocate(Content::Values, len as usize);
    for index in 0..len as u32 {
        evaluator.tick()?;
        evaluator.heap.set(first + index, Value::new(tag::MAPPED, index, shared));
    }
    Ok(Value::list(first, len as usize))
}

fn partition(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let function = evaluator.expect_function(arguments[0])?;
    let list = evaluator.forced_list(arguments[1])?;
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    for index in 0..list.detail() {
        let item = evaluator.force_slot(list.handle() + index)?;
        let result = evaluator.call(function, &[item])?;
        if evaluator.expect_bool(result)? { right.push(item) } else { wrong.push(item) }
    }
    let (right, wrong) = (evaluator.list(&right), evaluator.list(&wrong));
    Ok(evaluator.attrs(&[(symbols::RIGHT, right), (symbols::WRONG, wrong)]))
}

fn group_by(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let function = evaluator.expect_function(arguments[0])?;
    let list = evaluator.forced_list(arguments[1])?;
    let mut groups: FxHashMap<_, Vec<Value>> = FxHashMap::default();
    for index in 0..list.detail() {
        let item = attrs::load(&evaluator.heap, list.handle() + index);
        let name = evaluator.call(function, &[item])?;
        let name = evaluator.force(name)?;
        if name.is_string() && name.detail() != 0 {
            evaluator.expect_string(name)?;
        }
        let name = evaluator.attribute_name(name)?;
        groups.entry(name).or_default().push(item);
    }
    let mut entries = Vec::with_capacity(groups.len());
    for (name, group) in groups {
        entries.push((name, evaluator.list(&group)));
    }
    Ok(evaluator.attrs(&entries))
}

/// What a key is known by.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Int(i64),
    Float(u64),
    Bytes(u64, Vec<u8>),
}

fn generic_closure(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let set = evaluator.expect_attrs(arguments[0])?;
    let start = evaluator.select(set, "startSet")?;
    let mut work: std::collections::VecDeque<Value> = evaluator.expect_list(start)?.into();
    if work.is_empty() {
        return Ok(start);
    }
    let operator = evaluator.select(set, "operator")?;
    let operator = evaluator.expect_function(operator)?;
    let mut seen = rustc_hash::FxHashSet::default();
    let mut lists: Vec<Value> = Vec::new();
    let mut first: Option<Value> = None;
    let mut result = Vec::new();
    while let Some(item) = work.pop_front() {
        let element = evaluator.expect_attrs(item)?;
        let Some((slot, _)) = attrs::find(&evaluator.heap, element.handle(), symbols::KEY) else {
            return Err(evaluator.missing_in(element.handle(), symbols::KEY));
        };
        let key = evaluator.force_slot(slot)?;
        evaluator.tick()?;
        if let Some(first) = first {
            evaluator.less_than(key, first)?;
        }
        first = first.or(Some(key));
        if !is_new(evaluator, key, &mut seen, &mut lists)? {
            continue;
        }
        result.push(element);
        let more = evaluator.call(operator, &[element])?;
        work.extend(evaluator.expect_list(more)?);
    }
    Ok(evaluator.list(&result))
}

fn is_new(
    evaluator: &mut Evaluator,
    key: Value,
    seen: &mut rustc_hash::FxHashSet<Key>,
    lists: &mut Vec<Value>,
) -> EvalResult<bool> {
    match key.tag() {
        tag::STRING | tag::PATH => {
            Ok(seen.insert(Key::Bytes(key.tag(), evaluator.heap.bytes(key.handle()).to_vec())))
        }
        tag::INT | tag::WIDE_INT => {
            let int = evaluator.expect_int(key)?;
            Ok(seen.insert(Key::Int(int)))
        }
        tag::FLOAT => {
            let float = evaluator.expect_float(key)?;
            if float.fract() == 0.0 && float.abs() < 9e15 {
                return Ok(seen.insert(Key::Int(float as i64)));
            }
            Ok(seen.insert(Key::Float(float.to_bits())))
        }
        tag::LIST => {
            for other in lists.clone() {
                if evaluator.equal(key, other)? {
                    return Ok(false);
                }
            }
            lists.push(key);
            Ok(true)
        }
        _ => {
            // Says why it cannot be a key.
            evaluator.less_than(key, key)?;
            Ok(true)
        }
    }
}
