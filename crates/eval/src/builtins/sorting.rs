//! Sorting with a comparison that may fail, or be no order at all.

use super::Row;
use crate::error::EvalResult;
use crate::evaluator::Evaluator;
use crate::value::{Value, tag};

pub(super) const ROWS: &[Row] = &[Row("__sort", 2, 2, sort)];

fn sort(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let list = evaluator.forced_list(arguments[1])?;
    if list.detail() == 0 {
        return Ok(list);
    }
    let function = evaluator.expect_function(arguments[0])?;
    let mut items = evaluator.expect_list(list)?;
    for item in &mut items {
        *item = evaluator.force(*item)?;
    }
    let native = function.tag() == tag::NATIVE
        && function.handle() == 0
        && &*evaluator.natives[function.detail() as usize].name == "lessThan";
    let mut less = |evaluator: &mut Evaluator, a: Value, b: Value| {
        if native {
            return evaluator.less_than(a, b);
        }
        let result = evaluator.call(function, &[a, b])?;
        evaluator.expect_bool(result)
    };
    let sorted = merge_sort(evaluator, items, &mut less)?;
    Ok(evaluator.list(&sorted))
}

type Less<'a> = dyn FnMut(&mut Evaluator, Value, Value) -> EvalResult<bool> + 'a;

/// A stable sort that asks only whether a later element comes before an earlier one.
fn merge_sort(
    evaluator: &mut Evaluator,
    mut items: Vec<Value>,
    less: &mut Less<'_>,
) -> EvalResult<Vec<Value>> {
    if items.len() <= 6 {
        for at in 1..items.len() {
            let mut place = at;
            while place > 0 && less(evaluator, items[place], items[place - 1])? {
                items.swap(place, place - 1);
                place -= 1;
            }
        }
        return Ok(items);
    }
    let right = items.split_off(items.len() / 2);
    let left = merge_sort(evaluator, items, less)?;
    let right = merge_sort(evaluator, right, less)?;
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut l, mut r) = (0, 0);
    while l < left.len() && r < right.len() {
        if less(evaluator, right[r], left[l])? {
            merged.push(right[r]);
            r += 1;
        } else {
            merged.push(left[l]);
            l += 1;
        }
    }
    merged.extend_from_slice(&left[l..]);
    merged.extend_from_slice(&right[r..]);
    Ok(merged)
}
