//! Evaluations that are taken further: `extendModules`, and the type that modules make together.

use crate::evaluation::{Context, Evaluated, Request, evaluate};
use crate::location::Location;
use nival_eval::{EvalResult, Evaluator, Value};
use std::rc::Rc;

/// `{ config; options; class; extendModules; type; ... }`, what `evalModules` returns.
pub(crate) fn result(ev: &mut Evaluator, evaluated: &Evaluated) -> Value {
    let context = &evaluated.context;
    let (extend, module_type) = (extend_modules(ev, context), module_type(ev, context));
    let class = class(ev, context);
    let tag = ev.string("configuration");
    let all = [
        ("_type", tag),
        ("class", class),
        ("config", evaluated.config),
        ("extendModules", extend),
        ("options", evaluated.options),
        ("type", module_type),
    ];
    let all = all.map(|(name, value)| (ev.symbol(name), value));
    ev.attrs(&all)
}

/// What the modules are for, as a value: `null` where nobody said.
pub(crate) fn class(ev: &mut Evaluator, context: &Context) -> Value {
    context.class.as_ref().map_or(Value::NULL, |class| ev.string(class))
}

/// The path of options in which the modules lie.
pub(crate) fn prefix(ev: &mut Evaluator, location: &Location) -> Value {
    let names: Vec<_> = location.names().iter().map(|name| ev.string(name)).collect();
    ev.list(&names)
}

/// A function from `{ modules ? [ ]; specialArgs ? { }; prefix ? ... }` to the same evaluation with more of them.
pub(crate) fn extend_modules(ev: &mut Evaluator, context: &Rc<Context>) -> Value {
    let mut captures = context.modules.clone();
    captures.push(context.special_args);
    captures.extend(context.lib);
    let context = context.clone();
    ev.function("extendModules", 1, &captures, move |ev, _, arguments| {
        let mut modules = context.modules.clone();
        if let Some(more) = ev.select_opt(arguments[0], "modules")? {
            modules.extend(ev.expect_list(more)?);
        }
        let special_args = match ev.select_opt(arguments[0], "specialArgs")? {
            Some(more) => ev.update(context.special_args, more)?,
            None => context.special_args,
        };
        let location = match ev.select_opt(arguments[0], "prefix")? {
            Some(names) => location(ev, names)?,
            None => context.location.clone(),
        };
        let request = Request {
            modules,
            special_args,
            lib: context.lib,
            location,
            origin: context.origin.clone(),
            on_demand: context.on_demand_again(),
            class: context.class.clone(),
        };
        let evaluated = evaluate(ev, request);
        Ok(result(ev, &evaluated))
    })
}

/// The type of sets that these modules describe.
pub(crate) fn module_type(ev: &mut Evaluator, context: &Rc<Context>) -> Value {
    let mut captures = context.modules.clone();
    captures.push(context.special_args);
    captures.extend(context.lib);
    let context = context.clone();
    ev.lazy(&captures, move |ev, _| {
        let lib = match context.lib {
            Some(lib) => lib,
            None => ev.select(context.special_args, "lib")?,
        };
        let types = ev.select(lib, "types")?;
        let make = ev.select(types, "submoduleWith")?;
        let modules = ev.list(&context.modules);
        let class = class(ev, &context);
        let arguments = [("modules", modules), ("specialArgs", context.special_args), ("class", class)];
        let arguments = arguments.map(|(name, value)| (ev.symbol(name), value));
        let arguments = ev.attrs(&arguments);
        ev.call(make, &[arguments])
    })
}

/// A list of names as a place in the tree of options.
pub(crate) fn location(ev: &mut Evaluator, names: Value) -> EvalResult<Location> {
    let mut location = Location::default();
    for name in ev.expect_list(names)? {
        location = location.child(&ev.expect_string_context(name)?.0);
    }
    Ok(location)
}
