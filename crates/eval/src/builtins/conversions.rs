//! To and from JSON, TOML and XML.

use super::Row;
use crate::error::EvalResult;
use crate::evaluator::Evaluator;
use crate::value::Value;

pub(super) const ROWS: &[Row] = &[
    Row("__toJSON", 1, 1, |e, a| {
        let (text, context) = e.to_json(a[0], true)?;
        Ok(e.string_with(&text, context))
    }),
    Row("__fromJSON", 1, 1, from_json),
    Row("__toXML", 1, 1, |e, a| {
        let (text, context) = e.to_xml(a[0], false, true)?;
        Ok(e.make_string(&text, context))
    }),
    Row("fromTOML", 1, 1, |e, a| {
        let text = e.expect_string_context(a[0])?.0;
        e.read_toml(&text)
    }),
];

fn from_json(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let text = evaluator.expect_string_context(arguments[0])?.0;
    evaluator.from_json(&text)
}
