//! Looking into functions.

use super::Row;
use crate::attrs;
use crate::error::EvalResult;
use crate::evaluator::Evaluator;
use crate::value::{Value, tag};

pub(super) const ROWS: &[Row] = &[Row("__functionArgs", 1, 1, function_args)];

fn function_args(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let function = evaluator.force(arguments[0])?;
    match function.tag() {
        tag::LAMBDA => {}
        tag::NATIVE => return Ok(Value::attrs(attrs::EMPTY_SET)),
        _ => return Err(evaluator.wrong_type("a function", function)),
    }
    let lambda = evaluator.code.lambdas[function.detail() as usize];
    let entries: Vec<_> = lambda
        .formals
        .indices()
        .map(|at| {
            let formal = evaluator.code.formals[at];
            (formal.name, formal.position, Value::bool(formal.default.is_some()))
        })
        .collect();
    Ok(Value::attrs(attrs::from_sorted(&mut evaluator.heap, &entries)))
}
