//! `getFlake`, `parseFlakeRef` and `flakeRefToString`.

use super::call;
use crate::world::EngineWorld;
use nival_eval::{EvalError, EvalResult, Evaluator, Kind, Value};
use nival_inputs::fetchers::{Attribute, Attributes, Error};
use nival_inputs::flakes::{FlakeReference, How, LockFlags, lock_flake};
use std::rc::Rc;

const ANYWHERE: How<'static> = How { base: None, allow_missing: true, is_flake: true, keep_relative: false };

fn failed(error: &Error) -> EvalError {
    EvalError::new(error.diagnostic())
}

/// Adds the builtins of the experimental feature `flakes`, where it is switched on.
pub(crate) fn install(evaluator: &mut Evaluator, world: &Rc<EngineWorld>) {
    if !world.fetcher().settings.has("flakes") {
        return;
    }
    let own = Rc::clone(world);
    let get =
        evaluator.function("getFlake", 1, &[], move |ev, _, arguments| get_flake(ev, &own, arguments[0]));
    evaluator.add_builtin("getFlake", get);
    let own = Rc::clone(world);
    let parse = evaluator.function("parseFlakeRef", 1, &[], move |ev, _, arguments| {
        let text = ev.expect_string(arguments[0])?;
        let settings = &own.fetcher().settings;
        let reference =
            FlakeReference::parse_whole(settings, &text, &ANYWHERE).map_err(|error| failed(&error))?;
        Ok(to_value(ev, &reference.attributes()))
    });
    evaluator.add_builtin("parseFlakeRef", parse);
    let own = Rc::clone(world);
    let print = evaluator.function("flakeRefToString", 1, &[], move |ev, _, arguments| {
        let attributes = from_value(ev, arguments[0])?;
        let settings = &own.fetcher().settings;
        let reference = FlakeReference::from_attributes(settings, attributes);
        let url = reference.and_then(|reference| reference.to_url()).map_err(|error| failed(&error))?;
        Ok(ev.string(&url.to_string()))
    });
    evaluator.add_builtin("flakeRefToString", print);
}

fn get_flake(evaluator: &mut Evaluator, world: &Rc<EngineWorld>, argument: Value) -> EvalResult {
    let text = evaluator.expect_string(argument)?;
    let fetcher = world.fetcher();
    let reference = FlakeReference::parse_whole(&fetcher.settings, &text, &ANYWHERE);
    let reference = reference.map_err(|error| failed(&error))?;
    let pure = world.is_pure();
    if pure && !reference.input.is_locked(&fetcher.settings) {
        let text = format!("`getFlake` takes only pinned flakes in pure evaluation, not `{text}`");
        return Err(failed(&Error::Refused(text)));
    }
    let registries = !pure && world.use_registries();
    let flags =
        LockFlags { update: false, write: false, registries, allow_unlocked: !pure, ..LockFlags::default() };
    let locked = lock_flake(fetcher, &reference, &flags);
    world.take_fetch_warnings();
    call(evaluator, world, &locked.map_err(|error| failed(&error))?)
}

fn to_value(evaluator: &mut Evaluator, attributes: &Attributes) -> Value {
    let mut entries = Vec::new();
    for (name, value) in &attributes.0 {
        let value = match value {
            Attribute::Text(text) => evaluator.string(text),
            Attribute::Int(int) => evaluator.int(int.cast_signed()),
            Attribute::Bool(yes) => Value::bool(*yes),
        };
        entries.push((evaluator.symbol(name), value));
    }
    evaluator.attrs(&entries)
}

fn from_value(evaluator: &mut Evaluator, set: Value) -> EvalResult<Attributes> {
    let mut attributes = Attributes::default();
    let set = evaluator.expect_attrs(set)?;
    for attribute in evaluator.attributes(set)? {
        let name = evaluator.name(attribute.name).to_owned();
        let wrong =
            |why: &str| failed(&Error::Reference(format!("the attribute `{name}` of a reference {why}")));
        let value = match evaluator.kind(attribute.value)? {
            Kind::Int => {
                let int = evaluator.expect_int(attribute.value)?;
                Attribute::Int(u64::try_from(int).map_err(|_| wrong("may not be negative"))?)
            }
            Kind::Bool => Attribute::Bool(evaluator.expect_bool(attribute.value)?),
            Kind::String => Attribute::Text(evaluator.expect_string_context(attribute.value)?.0),
            _ => return Err(wrong("must be a string, a Boolean or an integer")),
        };
        attributes.set(&name, value);
    }
    Ok(attributes)
}
