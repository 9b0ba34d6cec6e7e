//! What kind of value something is.

use super::{Row, yes};
use crate::error::EvalResult;
use crate::evaluator::Evaluator;
use crate::value::{Kind, Value};

pub(super) const ROWS: &[Row] = &[
    Row("isNull", 1, 1, |e, a| is(e, a, Kind::Null)),
    Row("__isBool", 1, 1, |e, a| is(e, a, Kind::Bool)),
    Row("__isInt", 1, 1, |e, a| is(e, a, Kind::Int)),
    Row("__isFloat", 1, 1, |e, a| is(e, a, Kind::Float)),
    Row("__isString", 1, 1, |e, a| is(e, a, Kind::String)),
    Row("__isPath", 1, 1, |e, a| is(e, a, Kind::Path)),
    Row("__isList", 1, 1, |e, a| is(e, a, Kind::List)),
    Row("__isAttrs", 1, 1, |e, a| is(e, a, Kind::Attrs)),
    Row("__isFunction", 1, 1, |e, a| is(e, a, Kind::Function)),
    Row("__typeOf", 1, 1, type_of),
];

fn is(evaluator: &mut Evaluator, arguments: &[Value], kind: Kind) -> EvalResult {
    yes(evaluator.kind(arguments[0])? == kind)
}

fn type_of(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let name = evaluator.type_name(arguments[0])?;
    let name = evaluator.symbol(name);
    Ok(evaluator.name_value(name))
}
