//! The engine as functions of the language, handed to the library.

use crate::definition::{Definition, Property, property};
use crate::evaluation::{Request, evaluate};
use crate::extension;
use crate::location::Location;
use crate::settings;
use crate::tree::Node;
use crate::types;
use nival_eval::{Attribute, EvalResult, Evaluator, Kind, Value};
use std::rc::Rc;

/// Makes the set `{ evalModules; merge; mergeTypes; secret; secretName; strengthen; }` that the library takes as its
/// argument `native`.
///
/// `merge TYPE PATH DEFINITIONS` merges `{ file; value; }`s by a type; `mergeTypes A B` is the type of an option that is
/// declared with both, `null` where they do not go together.
/// `secret NAME` is a value that stands for the secret of that name; `secretName` gives the name back, and `null` for anything
/// else. `strengthen PRIORITY DEFINITIONS` gives each value in a set of definitions that priority, in its place.
/// `evalModules { modules; specialArgs ? {}; lib ? null; prefix ? []; }` returns `{ config; options; }`.
pub fn native(ev: &mut Evaluator) -> Value {
    let eval_modules = ev.function("evalModules", 1, &[], |ev, _, arguments| eval_modules(ev, arguments[0]));
    let secret = ev.function("secret", 1, &[], |ev, _, arguments| {
        let name = ev.expect_string_context(arguments[0])?.0;
        Ok(ev.secret(&name))
    });
    let secret_name = ev.function("secretName", 1, &[], |ev, _, arguments| {
        let value = ev.force(arguments[0])?;
        let name = ev.secret_name(value).map(str::to_owned);
        Ok(name.map_or(Value::NULL, |name| ev.string(&name)))
    });
    let strengthen = ev.function("strengthen", 2, &[], |ev, _, arguments| {
        let priority = ev.expect_int(arguments[0])?;
        strengthen(ev, priority, arguments[1])
    });
    let merge = ev.function("merge", 3, &[], |ev, _, arguments| merge(ev, arguments));
    let merge_types = ev.function("mergeTypes", 2, &[], |ev, _, arguments| {
        Ok(types::merge_types(ev, arguments[0], arguments[1])?.unwrap_or(Value::NULL))
    });
    let all = [
        ("merge", merge),
        ("mergeTypes", merge_types),
        ("evalModules", eval_modules),
        ("secret", secret),
        ("secretName", secret_name),
        ("strengthen", strengthen),
    ];
    let all = all.map(|(name, value)| (ev.symbol(name), value));
    ev.attrs(&all)
}

/// Merges definitions, `{ file; value; }` each, by a type: `merge TYPE PATH DEFINITIONS`.
fn merge(ev: &mut Evaluator, arguments: &[Value]) -> EvalResult<Value> {
    let location = extension::location(ev, arguments[1])?;
    let mut definitions = Vec::new();
    for item in ev.expect_list(arguments[2])? {
        definitions.push(Definition::passed_on(ev, item, None)?);
    }
    let merged = types::merge(ev, arguments[0], &location, &definitions)?;
    ev.force(merged)
}

/// Puts `mkOverride` around the values in a set of definitions; those with an order or a priority of their own stay.
fn strengthen(ev: &mut Evaluator, priority: i64, value: Value) -> EvalResult<Value> {
    let is_plain = match ev.kind(value)? {
        Kind::Attrs => property(ev, value)? == Some(Property::Definition),
        _ => true,
    };
    if is_plain {
        let (tag, strength, content) = (ev.symbol("_type"), ev.symbol("priority"), ev.symbol("content"));
        let (tag_value, strength_value) = (ev.string("override"), ev.int(priority));
        return Ok(ev.attrs(&[(tag, tag_value), (strength, strength_value), (content, value)]));
    }
    let name = match property(ev, value)? {
        Some(Property::If) => "content",
        Some(Property::Merge) => "contents",
        Some(_) => return Ok(value),
        None => {
            let mut inner = Vec::new();
            for attribute in ev.attributes(value)? {
                let value =
                    ev.lazy(&[attribute.value], move |ev, captures| strengthen(ev, priority, captures[0]));
                inner.push(Attribute { value, ..attribute });
            }
            return Ok(ev.attrs_at(&inner));
        }
    };
    let content = ev.select(value, name)?;
    let inner = if name == "contents" {
        let mut all = Vec::new();
        for content in ev.expect_list(content)? {
            all.push(strengthen(ev, priority, content)?);
        }
        ev.list(&all)
    } else {
        strengthen(ev, priority, content)?
    };
    let name = ev.symbol(name);
    let changed = ev.attrs(&[(name, inner)]);
    ev.update(value, changed)
}

fn eval_modules(ev: &mut Evaluator, arguments: Value) -> EvalResult<Value> {
    let modules = ev.select(arguments, "modules")?;
    let modules = ev.expect_list(modules)?;
    let special_args = match ev.select_opt(arguments, "specialArgs")? {
        Some(set) => ev.expect_attrs(set)?,
        None => ev.attrs(&[]),
    };
    let location = match ev.select_opt(arguments, "prefix")? {
        Some(names) => extension::location(ev, names)?,
        None => Location::default(),
    };
    let class = class(ev, arguments)?;
    let lib = ev.select_opt(arguments, "lib")?;
    let request = Request {
        modules,
        special_args,
        lib,
        location,
        origin: "(unknown file)".into(),
        on_demand: None,
        class,
    };
    let evaluated = evaluate(ev, request);
    Ok(extension::result(ev, &evaluated))
}

/// The attribute `class` of a set: `None` where it is lacking or `null`.
pub(crate) fn class(ev: &mut Evaluator, set: Value) -> EvalResult<Option<Rc<str>>> {
    let Some(class) = ev.select_opt(set, "class")? else { return Ok(None) };
    match ev.kind(class)? {
        Kind::Null => Ok(None),
        _ => Ok(Some(ev.expect_string_context(class)?.0.into())),
    }
}

/// The attribute `_module` of a root: `args`, merged lazily from all modules.
pub(crate) fn module_attribute(ev: &mut Evaluator, root: &Rc<Node>) -> EvalResult<Attribute> {
    let node = root.clone();
    let arguments = ev.lazy(&[], move |ev, _| {
        let definitions = settings::definitions(ev, &node, "args")?;
        types::merge_lazy_set(ev, &node.location.child("_module").child("args"), &definitions)
    });
    let (module, name) = (ev.symbol("_module"), ev.symbol("args"));
    let value = ev.attrs(&[(name, arguments)]);
    Ok(Attribute { name: module, value, position: None })
}
