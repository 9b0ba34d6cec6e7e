//! Fetching: the arguments are read here, the world does the rest.

use super::Row;
use crate::context::{ContextElement, ContextId};
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::value::{Kind, Value};
use crate::world::{FetchKind, FetchRequest, FetchValue};

pub(super) const ROWS: &[Row] = &[
    Row("__fetchurl", 1, 1, |e, a| fetch(e, a[0], FetchKind::Url)),
    Row("fetchTarball", 1, 1, |e, a| fetch(e, a[0], FetchKind::Tarball)),
    Row("fetchGit", 1, 1, |e, a| fetch(e, a[0], FetchKind::Git)),
    Row("fetchMercurial", 1, 1, |e, a| fetch(e, a[0], FetchKind::Mercurial)),
    Row("fetchTree", 1, 1, |e, a| fetch(e, a[0], FetchKind::Tree)),
];

fn fetch(evaluator: &mut Evaluator, argument: Value, kind: FetchKind) -> EvalResult {
    let mut attributes = Vec::new();
    if evaluator.kind(argument)? == Kind::Attrs {
        for attribute in evaluator.attributes(argument)? {
            let name = evaluator.name(attribute.name).to_owned();
            let value = match evaluator.kind(attribute.value)? {
                Kind::Int => FetchValue::Int(evaluator.expect_int(attribute.value)?),
                Kind::Bool => FetchValue::Bool(evaluator.expect_bool(attribute.value)?),
                Kind::String => FetchValue::Text(evaluator.expect_string_context(attribute.value)?.0),
                Kind::Path => FetchValue::Text(evaluator.expect_path(attribute.value)?),
                _ => {
                    return Err(EvalError::of(
                        &diagnostics::invalid_argument::ENTRY,
                        format!("the argument `{name}` of a fetcher must be a string, a number or a Boolean"),
                    ));
                }
            };
            attributes.push((name, value));
        }
    } else {
        let how = crate::Coercion { more: false, copy_to_store: false };
        let (url, _) = evaluator.coerce_to_string(argument, how)?;
        attributes.push(("url".to_owned(), FetchValue::Text(url)));
    }
    let fetched = evaluator.world().fetch(&FetchRequest { kind, attributes })?;
    let mut entries = Vec::new();
    for (name, value) in fetched {
        let value = match value {
            FetchValue::Text(text) if name == "outPath" => {
                let context = evaluator.context(&[ContextElement::Plain(text.clone())]);
                evaluator.string_with(&text, context)
            }
            FetchValue::Text(text) => evaluator.string_with(&text, ContextId::EMPTY),
            FetchValue::Int(int) => evaluator.int(int),
            FetchValue::Bool(value) => Value::bool(value),
        };
        if name == "outPath" && matches!(kind, FetchKind::Url | FetchKind::Tarball) {
            return Ok(value);
        }
        entries.push((evaluator.symbol(&name), value));
    }
    Ok(evaluator.attrs(&entries))
}
