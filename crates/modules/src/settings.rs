//! What modules say of their own evaluation: `_module.check`, `_module.freeformType`, `freeformType`.

use crate::definition::{Definition, effective, push_down};
use crate::tree::Node;
use crate::types;
use nival_eval::{Attribute, EvalResult, Evaluator, Value};
use std::rc::Rc;

/// Whether definitions without an option are errors: unless `_module.check` is `false`.
pub(crate) fn checks(ev: &mut Evaluator, root: &Node) -> EvalResult<bool> {
    let definitions = definitions(ev, root, "check")?;
    let effective = effective(ev, &definitions)?;
    match effective.definitions.first() {
        Some(definition) => ev.expect_bool(definition.value),
        None => Ok(true),
    }
}

/// The type of all that no option stands for: what `freeformType` and `_module.freeformType` say together.
pub(crate) fn freeform(ev: &mut Evaluator, root: &Node, declared: &[Value]) -> EvalResult<Option<Value>> {
    let mut merged: Option<Value> = None;
    let said = definitions(ev, root, "freeformType")?;
    let said: Vec<Value> = effective(ev, &said)?.definitions.iter().map(|one| one.value).collect();
    for other in declared.iter().chain(&said) {
        if ev.kind(*other)? == nival_eval::Kind::Null {
            continue;
        }
        merged = match merged {
            None => Some(*other),
            Some(one) => types::merge_types(ev, one, *other)?.or(Some(one)),
        };
    }
    Ok(merged)
}

/// The options below `_module`, which every root has: `{ args; check; freeformType; }`.
pub(crate) fn options(ev: &mut Evaluator, root: &Rc<Node>) -> Attribute {
    let mut all = Vec::new();
    for name in ["args", "check", "freeformType"] {
        let node = root.clone();
        let value = ev.lazy(&[], move |ev, _| match name {
            "args" => {
                let found = definitions(ev, &node, "args")?;
                types::merge_lazy_set(ev, &node.location.child("_module").child("args"), &found)
            }
            "check" => checks(ev, &node).map(Value::bool),
            _ => Ok(node.freeform(ev)?.unwrap_or(Value::NULL)),
        });
        let names: Vec<_> = root.location.child("_module").child(name).names();
        let names: Vec<_> = names.iter().map(|name| ev.string(name)).collect();
        let (loc, tag) = (ev.list(&names), ev.string("option"));
        let described = [("_type", tag), ("internal", Value::bool(true)), ("loc", loc), ("value", value)];
        let described = described.map(|(name, value)| (ev.symbol(name), value));
        all.push((ev.symbol(name), ev.attrs(&described)));
    }
    Attribute { name: ev.symbol("_module"), value: ev.attrs(&all), position: None }
}

/// What modules define below `_module`.
pub(crate) fn definitions(ev: &mut Evaluator, root: &Node, name: &str) -> EvalResult<Vec<Definition>> {
    let (module, name) = (ev.symbol("_module"), ev.symbol(name));
    let mut found = Vec::new();
    let all = root.by_name(ev)?.get(&module).cloned().unwrap_or_default();
    for definition in &all {
        push_down(ev, definition, &mut |_, defined, child| {
            if defined == name {
                found.push(child);
            }
            Ok(())
        })?;
    }
    Ok(found)
}
