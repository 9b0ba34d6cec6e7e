//! Numbers.

use super::{Row, yes};
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::value::Value;

pub(super) const ROWS: &[Row] = &[
    Row("__add", 2, 3, |e, a| with(e, a, Evaluator::add_numbers)),
    Row("__sub", 2, 3, |e, a| with(e, a, Evaluator::subtract)),
    Row("__mul", 2, 3, |e, a| with(e, a, Evaluator::multiply)),
    Row("__div", 2, 3, |e, a| with(e, a, Evaluator::divide)),
    Row("__lessThan", 2, 3, |e, a| yes(e.less_than(a[0], a[1])?)),
    Row("__bitAnd", 2, 3, |e, a| bits(e, a, |a, b| a & b)),
    Row("__bitOr", 2, 3, |e, a| bits(e, a, |a, b| a | b)),
    Row("__bitXor", 2, 3, |e, a| bits(e, a, |a, b| a ^ b)),
    Row("__ceil", 1, 1, |e, a| round(e, a, f64::ceil)),
    Row("__floor", 1, 1, |e, a| round(e, a, f64::floor)),
];

type Operation = fn(&mut Evaluator, crate::run::Number, crate::run::Number) -> EvalResult;

fn with(evaluator: &mut Evaluator, arguments: &[Value], operation: Operation) -> EvalResult {
    // Both are evaluated before one is found to be no number, as by the operators.
    let (left, right) = (evaluator.force(arguments[0])?, evaluator.force(arguments[1])?);
    let (left, right) = (number(evaluator, left)?, number(evaluator, right)?);
    operation(evaluator, left, right)
}

fn number(evaluator: &mut Evaluator, value: Value) -> EvalResult<crate::run::Number> {
    match evaluator.number(value) {
        Some(number) => Ok(number),
        None => Err(evaluator.wrong_type("a number", value)),
    }
}

fn bits(evaluator: &mut Evaluator, arguments: &[Value], operation: fn(i64, i64) -> i64) -> EvalResult {
    let a = evaluator.expect_int(arguments[0])?;
    let b = evaluator.expect_int(arguments[1])?;
    Ok(evaluator.int(operation(a, b)))
}

fn round(evaluator: &mut Evaluator, arguments: &[Value], operation: fn(f64) -> f64) -> EvalResult {
    let value = evaluator.force(arguments[0])?;
    if let Some(crate::run::Number::Int(int)) = evaluator.number(value) {
        // As C++ Nix, which goes by way of a float, and refuses what that would change.
        let float = int as f64;
        if float < 9_223_372_036_854_775_808.0 && float as i64 == int {
            return Ok(value);
        }
        return Err(EvalError::of(
            &crate::diagnostics::integer_overflow::ENTRY,
            format!("`{int}` has more digits than a float can hold, by way of which it is rounded"),
        )
        .help("an integer needs no rounding: use it as it is"));
    }
    let float = operation(evaluator.expect_float(value)?);
    let limit = 9_223_372_036_854_775_808.0;
    if !(-limit..limit).contains(&float) {
        return Err(EvalError::of(
            &crate::diagnostics::integer_overflow::ENTRY,
            format!("the number `{float}` does not fit into an integer of 64 bits"),
        ));
    }
    Ok(evaluator.int(float as i64))
}
