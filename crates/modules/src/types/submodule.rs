//! Options that hold a whole set of modules of their own.

use crate::definition::Definition;
use crate::evaluation::{Request, evaluate};
use crate::location::Location;
use nival_eval::{Attribute, EvalResult, Evaluator, Kind as ValueKind, Value};

/// Evaluates the type's modules together with the definitions.
pub(super) fn merge(
    ev: &mut Evaluator,
    option_type: Value,
    location: &Location,
    definitions: &[Definition],
) -> EvalResult<Value> {
    let mut modules = vec![name_argument(ev, location)];
    let declared = ev.select(option_type, "modules")?;
    modules.extend(ev.expect_list(declared)?);
    for definition in definitions {
        modules.push(as_module(ev, option_type, definition)?);
    }
    let special_args = match ev.select_opt(option_type, "specialArgs")? {
        Some(set) => ev.expect_attrs(set)?,
        None => ev.attrs(&[]),
    };
    let lib = ev.select_opt(option_type, "lib")?;
    let origin =
        definitions.first().map_or_else(|| "(option type)".into(), |definition| definition.file.clone());
    let class = crate::native::class(ev, option_type)?;
    let location = location.clone();
    let request = Request { modules, special_args, lib, location, origin, on_demand: None, class };
    let evaluated = evaluate(ev, request);
    ev.force(evaluated.config)
}

/// A module that tells the others the attribute under which they are defined.
fn name_argument(ev: &mut Evaluator, location: &Location) -> Value {
    let (module, arguments, name) = (ev.symbol("_module"), ev.symbol("args"), ev.symbol("name"));
    let text = ev.string(&location.last());
    let (tag, priority, content) = (ev.symbol("_type"), ev.symbol("priority"), ev.symbol("content"));
    let (tag_value, priority_value) =
        (ev.string("override"), ev.int(crate::definition::OPTION_DEFAULT_PRIORITY));
    let default = ev.attrs(&[(tag, tag_value), (priority, priority_value), (content, text)]);
    let inner = ev.attrs(&[(name, default)]);
    let arguments = ev.attrs(&[(arguments, inner)]);
    let (config, arguments) = (ev.symbol("config"), ev.attrs(&[(module, arguments)]));
    ev.attrs(&[(config, arguments)])
}

fn as_module(ev: &mut Evaluator, option_type: Value, definition: &Definition) -> EvalResult<Value> {
    let file = ev.symbol("_file");
    let file_name = ev.string(&definition.file);
    let only_config = match ev.select_opt(option_type, "shorthandOnlyDefinesConfig")? {
        Some(flag) => ev.expect_bool(flag)?,
        None => true,
    };
    let is_set = ev.kind(definition.value)? == ValueKind::Attrs;
    let (name, value) = if is_set && only_config {
        (ev.symbol("config"), definition.value)
    } else {
        (ev.symbol("imports"), ev.list(&[definition.value]))
    };
    Ok(ev.attrs_at(&[
        Attribute { name: file, value: file_name, position: None },
        Attribute { name, value, position: definition.position },
    ]))
}
