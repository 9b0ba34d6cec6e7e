//! `mergeModules`: the tree of options, with what is defined for each and what is defined for none.

use super::declarations::declared_option;
use super::lib::Lib;
use super::properties::{Tag, part, push_down, tag};
use super::{definitions, errors};
use nival_eval::{EvalResult, Evaluator, Kind, Symbol, Value};
use rustc_hash::FxHashMap;

/// `mergeModules' prefix modules configs`
pub(super) fn merge_modules(
    ev: &mut Evaluator,
    lib: &Lib,
    (prefix, modules, configs): (Value, Value, Value),
) -> EvalResult {
    let declared = lib.later(ev, |all| all.declared, &[prefix, modules]);
    let raw = lib.later(ev, |all| all.raw, &[prefix, configs]);
    let results = lib.later(ev, |all| all.results, &[prefix, declared, raw]);
    let matched = lib.later(ev, |all| all.matched, &[results]);
    let unmatched = lib.later(ev, |all| all.unmatched, &[configs, results, raw, prefix]);
    Ok(ev.attrs(&[(lib.names.matched_options, matched), (lib.names.unmatched, unmatched)]))
}

/// What all modules configure at the root, `mkMerge` taken off: `[ { file; config; } ]`.
pub(super) fn root_configs(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let names = lib.names;
    let mut all = Vec::new();
    let mut inner = Vec::new();
    for module in ev.expect_list(arguments[0])? {
        let config = part(ev, module, names.config)?;
        push_down(ev, lib, config, &mut inner)?;
        let file = part(ev, module, names.module_file)?;
        for config in inner.drain(..) {
            all.push(ev.attrs(&[(names.file, file), (names.config, config)]));
        }
    }
    Ok(ev.list(&all))
}

/// The location of what has a name below a prefix.
fn location(ev: &mut Evaluator, prefix: Value, name: Value) -> EvalResult {
    let mut names = ev.expect_list(prefix)?;
    names.push(name);
    Ok(ev.list(&names))
}

/// In the order in which they were met, by name.
type Grouped = (Vec<Symbol>, FxHashMap<Symbol, Vec<Value>>);

fn group(grouped: &mut Grouped, name: Symbol, value: Value) {
    let order = &mut grouped.0;
    let of_name = grouped.1.entry(name).or_insert_with(|| {
        order.push(name);
        Vec::new()
    });
    of_name.push(value);
}

fn lists(ev: &mut Evaluator, grouped: Grouped) -> Value {
    let mut entries = Vec::with_capacity(grouped.0.len());
    for name in grouped.0 {
        let all = grouped.1.get(&name).map(Vec::as_slice).unwrap_or_default();
        entries.push((name, 0, ev.list(all)));
    }
    ev.attrs_of(&mut entries)
}

/// `declsByName`: a set from names to `[ { _file; pos; options; } ]`.
pub(super) fn declared(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let names = lib.names;
    let mut grouped = Grouped::default();
    for module in ev.expect_list(arguments[1])? {
        let subtree = part(ev, module, names.options)?;
        if ev.kind(subtree)? != Kind::Attrs {
            return Err(errors::not_declarations(ev, arguments[0], subtree));
        }
        let file = part(ev, module, names.module_file)?;
        for (name, place, option) in ev.entries(subtree)? {
            let text = ev.symbol_value(name);
            let position = ev.lazy_call(lib.variables().position, &[text, subtree]);
            let mut entries =
                vec![(names.module_file, 0, file), (names.pos, 0, position), (names.options, place, option)];
            let decl = ev.attrs_of(&mut entries);
            group(&mut grouped, name, decl);
        }
    }
    Ok(lists(ev, grouped))
}

/// `rawDefinitionsByName`: a set from names to `[ { file; value; } ]`.
pub(super) fn raw(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let names = lib.names;
    let configs = ev.expect_list(arguments[1])?;
    for def in &configs {
        let config = part(ev, *def, names.config)?;
        if ev.kind(config)? != Kind::Attrs {
            return Err(errors::not_a_folder(ev, lib, arguments[0], *def));
        }
    }
    let mut grouped = Grouped::default();
    for def in configs {
        let config = part(ev, def, names.config)?;
        let file = part(ev, def, names.file)?;
        for (name, place, value) in ev.entries(config)? {
            let raw = ev.attrs_of(&mut vec![(names.file, 0, file), (names.value, place, value)]);
            group(&mut grouped, name, raw);
        }
    }
    Ok(lists(ev, grouped))
}

/// The definitions of one name as they are.
pub(super) fn raw_of(ev: &mut Evaluator, _: &Lib, arguments: &[Value]) -> EvalResult {
    named(ev, arguments[0], arguments[1])
}

fn named(ev: &mut Evaluator, set: Value, name: Value) -> EvalResult {
    let name = ev.expect_string_context(name)?.0;
    let found = ev.select_opt(set, &name)?;
    Ok(found.unwrap_or_else(|| ev.list(&[])))
}

/// The definitions of one name as those of a folder: `[ { file; config; } ]`, with properties pushed down.
pub(super) fn pushed(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let names = lib.names;
    let mut all = Vec::new();
    let mut inner = Vec::new();
    let raw = named(ev, arguments[0], arguments[1])?;
    for def in ev.expect_list(raw)? {
        let value = part(ev, def, names.value)?;
        let (file, place) = (part(ev, def, names.file)?, ev.place_of(def, names.value)?);
        push_down(ev, lib, value, &mut inner)?;
        for config in inner.drain(..) {
            all.push(ev.attrs_of(&mut vec![(names.file, 0, file), (names.config, place, config)]));
        }
    }
    Ok(ev.list(&all))
}

/// `resultsByName`: a set from names to `{ matchedOptions; unmatchedDefns; }`, each delayed.
pub(super) fn results(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let (prefix, declared, raw) = (arguments[0], arguments[1], arguments[2]);
    let mut entries = ev.entries(declared)?;
    for (name, place, value) in &mut entries {
        let text = ev.symbol_value(*name);
        *place = 0;
        *value = lib.later(ev, |all| all.result, &[prefix, text, *value, raw]);
    }
    Ok(ev.attrs_of(&mut entries))
}

/// What one name stands for: an option, or a folder of them.
pub(super) fn result(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let (prefix, name, decls, raw) = (arguments[0], arguments[1], arguments[2], arguments[3]);
    let names = lib.names;
    let location = location(ev, prefix, name)?;
    let all = ev.expect_list(decls)?;
    let mut options = Vec::new();
    for decl in &all {
        let option = part(ev, *decl, names.options)?;
        let kind = tag(ev, lib, option)?;
        if kind == Tag::Option {
            options.push(*decl);
        } else if kind != Tag::None {
            let (tag, file) = (part(ev, option, names.tag)?, part(ev, *decl, names.module_file)?);
            return Err(errors::not_an_option(ev, location, file, tag));
        }
    }
    if options.is_empty() {
        let defs = lib.later(ev, |all| all.pushed, &[raw, name]);
        return merge_modules(ev, lib, (location, decls, defs));
    }
    let decls = if options.len() == all.len() { decls } else { nested(ev, lib, location, &options, &all)? };
    let defs = lib.later(ev, |all| all.raw_of, &[raw, name]);
    let option = lib.later(ev, |all| all.option, &[location, decls, defs]);
    let nothing = ev.list(&[]);
    Ok(ev.attrs(&[(names.matched_options, option), (names.unmatched, nothing)]))
}

/// An option with its value: `evalOptionValue loc (fixupOptionType loc (mergeOptionDecls loc decls)) defs`.
pub(super) fn option(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let (location, decls, defs) = (arguments[0], arguments[1], arguments[2]);
    let declared = declared_option(ev, lib, location, decls)?;
    evaluated(ev, lib, location, declared, defs)
}

/// `evalOptionValue loc opt defs`, where the option's type raises no warning.
pub(super) fn evaluated(
    ev: &mut Evaluator,
    lib: &Lib,
    location: Value,
    (option, option_type): (Value, Value),
    defs: Value,
) -> EvalResult {
    let message = part(ev, option_type, lib.names.deprecation_message)?;
    if ev.force(message)? != Value::NULL {
        let warned = lib.original("evalOptionValue");
        return ev.call(warned, &[location, option, defs]);
    }
    let added = definitions::evaluated(ev, lib, (location, option, option_type), defs)?;
    let mut entries = ev.entries(option)?;
    entries.extend(added.map(|(name, value)| (name, 0, value)));
    Ok(ev.attrs_of(&mut entries))
}

/// The declarations of an option that holds submodules, where others declare options below it.
fn nested(ev: &mut Evaluator, lib: &Lib, location: Value, options: &[Value], all: &[Value]) -> EvalResult {
    let names = lib.names;
    for decl in options {
        let option = part(ev, *decl, names.options)?;
        let option_type = ev.find(option, names.type_)?;
        let name = match option_type {
            Some(option_type) => ev.find_in(option_type, names.name)?,
            None => None,
        };
        let name = name.map(|name| ev.force(name)).transpose()?;
        if name.and_then(|name| ev.text_of(name)) != Some(b"submodule") {
            return no_nesting(ev, lib, location, options[0]);
        }
    }
    let mut decls = Vec::new();
    for decl in all {
        let option = part(ev, *decl, names.options)?;
        decls.push(if tag(ev, lib, option)? == Tag::Option {
            *decl
        } else {
            let option = as_submodule(ev, lib, option)?;
            let options = ev.attrs(&[(names.options, option)]);
            ev.update(*decl, options)?
        });
    }
    Ok(ev.list(&decls))
}

/// An option of the type `submodule` with the options of a folder.
fn as_submodule(ev: &mut Evaluator, lib: &Lib, options: Value) -> EvalResult {
    let variables = lib.variables();
    let module = ev.attrs(&[(lib.names.options, options)]);
    let (modules, shorthand) = (ev.symbol("modules"), ev.symbol("shorthandOnlyDefinesConfig"));
    let list = ev.list(&[module]);
    let request = ev.attrs(&[(modules, list), (shorthand, Value::NULL)]);
    let with = ev.symbol("submoduleWith");
    let with = ev.lazy_select(variables.types, &[with]);
    let option_type = ev.lazy_call(with, &[request]);
    let option = ev.attrs(&[(lib.names.type_, option_type)]);
    ev.call(variables.mk_option, &[option])
}

fn no_nesting(ev: &mut Evaluator, lib: &Lib, location: Value, decl: Value) -> EvalResult {
    let names = lib.names;
    let file = part(ev, decl, names.module_file)?;
    let option = part(ev, decl, names.options)?;
    let described = match ev.find(option, names.type_)? {
        Some(option_type) => ev.find_in(option_type, names.description)?,
        None => None,
    };
    let described = match described {
        Some(text) => ev.expect_string_context(text)?.0,
        None => "<no description>".to_owned(),
    };
    Err(errors::no_nesting(ev, location, file, &described))
}

/// `matchedOptions`
pub(super) fn matched(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let mut entries = ev.entries(arguments[0])?;
    for (_, _, value) in &mut entries {
        *value = lib.later(ev, |all| all.matched_of, &[*value]);
    }
    Ok(ev.attrs_of(&mut entries))
}

/// `result.matchedOptions`
pub(super) fn matched_of(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    part(ev, arguments[0], lib.names.matched_options)
}

/// `unmatchedDefns`: what is defined without an option, by name and then in the order of modules.
pub(super) fn unmatched(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let (configs, results, raw) = (arguments[0], arguments[1], arguments[2]);
    let names = lib.names;
    let mut all = Vec::new();
    if ev.expect_list(configs)?.is_empty() {
        return Ok(ev.list(&all));
    }
    let mut by_name = ev.attributes(results)?;
    let known: rustc_hash::FxHashSet<Symbol> = by_name.iter().map(|attribute| attribute.name).collect();
    let matched = by_name.len();
    by_name.extend(ev.attributes(raw)?.into_iter().filter(|attribute| !known.contains(&attribute.name)));
    let mut ordered = Vec::with_capacity(by_name.len());
    for (at, attribute) in by_name.into_iter().enumerate() {
        ordered.push((ev.name(attribute.name).to_owned(), at < matched, attribute));
    }
    ordered.sort_by(|a, b| a.0.cmp(&b.0));
    for (_, has_result, attribute) in ordered {
        let defs = if has_result { part(ev, attribute.value, names.unmatched)? } else { attribute.value };
        let name = ev.symbol_value(attribute.name);
        for def in ev.expect_list(defs)? {
            let mut prefix = vec![name];
            if let Some(inner) = ev.find(def, names.prefix)? {
                prefix.extend(ev.expect_list(inner)?);
            }
            let mut entries = ev.entries(def)?;
            entries.push((names.prefix, 0, ev.list(&prefix)));
            all.push(ev.attrs_of(&mut entries));
        }
    }
    Ok(ev.list(&all))
}
