//! Looking into functions.

use super::Row;
use crate::attrs;
use crate::error::EvalResult;
use crate::evaluator::Evaluator;
use crate::value::{Value, tag};

pub(super) const ROWS: &[Row] = &[Row("__functionArgs", 1, 1, function_args)];

fn function_args(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let function = evaluator.force(arguments[0])?;
    if function.tag() == tag::NATIVE {
        return Ok(Value::attrs(attrs::EMPTY_SET));
    }
    let Some(level) = evaluator.level(function) else {
        return Err(evaluator.wrong_type("a function", function));
    };
    let entries: Vec<_> = level
        .formals
        .indices()
        .map(|at| {
            let formal = evaluator.code.formals.get(at);
            (formal.name, formal.position, Value::bool(formal.default.is_some()))
        })
        .collect();
    Ok(Value::attrs(attrs::from_sorted(&mut evaluator.heap, &entries)))
}
