//! String contexts.

use super::{Row, yes};
use crate::Coercion;
use crate::attrs;
use crate::context::{ContextElement, ContextId};
use crate::diagnostics;
use crate::error::{EvalError, EvalResult};
use crate::evaluator::Evaluator;
use crate::symbols;
use crate::value::Value;
use std::collections::BTreeMap;

pub(super) const ROWS: &[Row] = &[
    Row("__unsafeDiscardStringContext", 1, 1, |e, a| {
        let (text, _) = e.coerce_bytes(a[0], Coercion::INTERPOLATION)?;
        Ok(e.make_string(&text, ContextId::EMPTY))
    }),
    Row("__hasContext", 1, 1, |e, a| yes(!e.expect_bytes(a[0])?.1.is_empty())),
    Row("__unsafeDiscardOutputDependency", 1, 1, discard_outputs),
    Row("__addDrvOutputDependencies", 1, 1, add_outputs),
    Row("__getContext", 1, 1, get),
    Row("__appendContext", 2, 3, append),
];

fn discard_outputs(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let (text, context) = evaluator.coerce_bytes(arguments[0], Coercion::INTERPOLATION)?;
    let elements: Vec<ContextElement> = evaluator
        .context_elements(context)
        .into_iter()
        .map(|element| match element {
            ContextElement::DrvDeep(path) => ContextElement::Plain(path),
            other => other,
        })
        .collect();
    let context = evaluator.context(&elements);
    Ok(evaluator.make_string(&text, context))
}

fn add_outputs(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let (text, context) = evaluator.coerce_bytes(arguments[0], Coercion::INTERPOLATION)?;
    let wrong = |what: &str| {
        Err(EvalError::of(
            &diagnostics::invalid_argument::ENTRY,
            format!("`addDrvOutputDependencies` needs a string that refers to one derivation, {what}"),
        ))
    };
    let elements = evaluator.context_elements(context);
    let deep = match elements.as_slice() {
        [ContextElement::Plain(path) | ContextElement::DrvDeep(path)] if path.ends_with(".drv") => {
            ContextElement::DrvDeep(path.clone())
        }
        [ContextElement::Plain(path)] => return wrong(&format!("not to `{path}`")),
        [_] => return wrong("not to an output of one"),
        _ => return wrong(&format!("not to {} things", elements.len())),
    };
    let context = evaluator.context(&[deep]);
    Ok(evaluator.make_string(&text, context))
}

#[derive(Default)]
struct About {
    plain: bool,
    deep: bool,
    outputs: Vec<String>,
}

fn get(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let (_, context) = evaluator.expect_bytes(arguments[0])?;
    let mut by_path: BTreeMap<String, About> = BTreeMap::new();
    for element in evaluator.context_elements(context) {
        match element {
            ContextElement::Plain(path) => by_path.entry(path).or_default().plain = true,
            ContextElement::DrvDeep(path) => by_path.entry(path).or_default().deep = true,
            ContextElement::Output { drv, output } => by_path.entry(drv).or_default().outputs.push(output),
        }
    }
    let mut entries = Vec::new();
    for (path, about) in by_path {
        let mut fields = Vec::new();
        if about.plain {
            fields.push((symbols::PATH, Value::TRUE));
        }
        if about.deep {
            fields.push((symbols::ALL_OUTPUTS, Value::TRUE));
        }
        if !about.outputs.is_empty() {
            let outputs: Vec<Value> = about.outputs.iter().map(|output| evaluator.string(output)).collect();
            fields.push((symbols::OUTPUTS, evaluator.list(&outputs)));
        }
        let value = evaluator.attrs(&fields);
        entries.push((evaluator.symbol(&path), value));
    }
    Ok(evaluator.attrs(&entries))
}

fn append(evaluator: &mut Evaluator, arguments: &[Value]) -> EvalResult {
    let (text, context) = evaluator.expect_bytes(arguments[0])?;
    let mut elements = evaluator.context_elements(context);
    let store_dir = format!("{}/", evaluator.world().store_dir());
    for attribute in evaluator.attributes(arguments[1])? {
        let path = evaluator.name(attribute.name).to_owned();
        if !path.starts_with(&store_dir) {
            return Err(EvalError::of(
                &diagnostics::invalid_argument::ENTRY,
                format!("the context key `{path}` is not a store path"),
            ));
        }
        evaluator.world().ensure_path(&path)?;
        let about = evaluator.expect_attrs(attribute.value)?;
        let drv = path.ends_with(".drv");
        if flag(evaluator, about, symbols::PATH)? {
            elements.push(ContextElement::Plain(path.clone()));
        }
        if flag(evaluator, about, symbols::ALL_OUTPUTS)? {
            if !drv {
                return Err(not_a_derivation(&path));
            }
            elements.push(ContextElement::DrvDeep(path.clone()));
        }
        if let Some((slot, _)) = attrs::find(&evaluator.heap, about.handle(), symbols::OUTPUTS) {
            let outputs = evaluator.force_slot(slot)?;
            let outputs = evaluator.expect_list(outputs)?;
            if !outputs.is_empty() && !drv {
                return Err(not_a_derivation(&path));
            }
            for output in outputs {
                let output = evaluator.expect_string(output)?;
                elements.push(ContextElement::Output { drv: path.clone(), output });
            }
        }
    }
    let context = evaluator.context(&elements);
    Ok(evaluator.make_string(&text, context))
}

fn flag(evaluator: &mut Evaluator, set: Value, name: nival_syntax::Symbol) -> EvalResult<bool> {
    match attrs::find(&evaluator.heap, set.handle(), name) {
        Some((slot, _)) => {
            let value = evaluator.force_slot(slot)?;
            evaluator.expect_bool(value)
        }
        None => Ok(false),
    }
}

fn not_a_derivation(path: &str) -> EvalError {
    EvalError::of(
        &diagnostics::invalid_argument::ENTRY,
        format!("outputs were asked of `{path}`, which is no derivation"),
    )
}
