//! Gathering modules: files, functions and sets, through their imports.

use crate::definition::Definition;
use crate::diagnostics;
use crate::evaluation::Context;
use nival_diagnostics::{Diagnostic, Span};
use nival_eval::{EvalError, EvalResult, Evaluator, Kind, Symbol, Value};
use std::collections::VecDeque;
use std::rc::Rc;

/// One module, taken apart.
pub(crate) struct Module {
    pub(crate) file: Rc<str>,
    pub(crate) key: Option<String>,
    pub(crate) options: Option<Definition>,
    pub(crate) config: Definition,
    pub(crate) freeform: Option<Value>,
}

struct Waiting {
    value: Value,
    parent: Rc<str>,
}

/// Gathers modules breadth first, each file once, and returns them last one first, as definitions are merged.
pub(crate) fn collect(
    ev: &mut Evaluator,
    context: &Rc<Context>,
    modules: &[Value],
) -> EvalResult<Vec<Module>> {
    let origin: Rc<str> = context.origin.clone();
    let mut queue: VecDeque<_> =
        modules.iter().map(|value| Waiting { value: *value, parent: origin.clone() }).collect();
    let mut seen: Vec<String> = Vec::new();
    let mut disabled: Vec<String> = Vec::new();
    let mut all = Vec::new();
    while let Some(waiting) = queue.pop_front() {
        let loaded = load(ev, context, &waiting)?;
        if let Some(key) = &loaded.key {
            if seen.contains(key) {
                continue;
            }
            seen.push(key.clone());
        }
        let (module, imports, disables) = take_apart(ev, loaded)?;
        disabled.extend(disables);
        queue.extend(imports.into_iter().map(|value| Waiting { value, parent: module.file.clone() }));
        all.push(module);
    }
    all.retain(|module| module.key.as_ref().is_none_or(|key| !disabled.contains(key)));
    all.reverse();
    Ok(all)
}

struct Loaded {
    value: Value,
    file: Rc<str>,
    key: Option<String>,
    position: Option<Span>,
}

fn load(ev: &mut Evaluator, context: &Rc<Context>, waiting: &Waiting) -> EvalResult<Loaded> {
    let mut value = waiting.value;
    let (mut file, mut key) = (waiting.parent.clone(), None);
    let path = match ev.kind(value)? {
        Kind::Path => Some(ev.expect_path(value)?),
        Kind::String => Some(ev.expect_string_context(value)?.0),
        _ => None,
    };
    if let Some(path) = path {
        file = path.as_str().into();
        value = ev
            .import(&path)
            .map_err(|error| error.frame(None, format!("while importing the module `{path}`")))?;
        key = Some(path);
    }
    let position = match ev.kind(value)? {
        Kind::Function => ev.function_position(value),
        _ => None,
    };
    let callable = ev.kind(value)? == Kind::Function
        || (ev.kind(value)? == Kind::Attrs && ev.select_opt(value, "__functor")?.is_some());
    if callable {
        let arguments = arguments(ev, context, value)?;
        value = ev
            .call(value, &[arguments])
            .map_err(|error| error.frame(position, format!("while evaluating the module `{file}`")))?;
    }
    if ev.kind(value)? != Kind::Attrs {
        let got = ev.type_name(value)?;
        let mut diagnostic = Diagnostic::error(
            &diagnostics::not_a_module::ENTRY,
            format!("a module is a set, a function that returns one, or a file with either, but `{file}` gives a {got}"),
        )
        .help("write `{ OPTION = VALUE; }` or `{ config, lib, ... }: { OPTION = VALUE; }`");
        if let Some(span) = position {
            diagnostic = diagnostic.label(span, "this module");
        }
        return Err(EvalError::new(diagnostic));
    }
    Ok(Loaded { value, file, key, position })
}

/// The set that a module's function is called with: what it names, taken lazily from `_module.args` where the
/// caller of the engine did not give it.
fn arguments(ev: &mut Evaluator, context: &Rc<Context>, function: Value) -> EvalResult<Value> {
    let mut given: Vec<(Symbol, Value)> = Vec::new();
    let (config, options) = (context.config(), context.options());
    for (name, value) in [("config", config), ("options", options)] {
        given.push((ev.symbol(name), value));
    }
    if let Some(lib) = context.lib {
        given.push((ev.symbol("lib"), lib));
    }
    for attribute in ev.attributes(context.special_args)? {
        given.push((attribute.name, attribute.value));
    }
    let formals = ev.formals(function)?;
    for formal in formals.into_iter().flat_map(|formals| formals.names) {
        if given.iter().any(|(name, _)| *name == formal.name) {
            continue;
        }
        let name = ev.name(formal.name).to_owned();
        if formal.has_default && name != "pkgs" {
            continue;
        }
        let (context, position) = (context.clone(), formal.position);
        let value = ev
            .lazy(&[config], move |ev, captures| module_argument(ev, &context, captures[0], &name, position));
        given.push((formal.name, value));
    }
    Ok(ev.attrs(&given))
}

fn module_argument(
    ev: &mut Evaluator,
    context: &Context,
    config: Value,
    name: &str,
    position: Option<Span>,
) -> EvalResult<Value> {
    let module = ev.select(config, "_module")?;
    let arguments = ev.select(module, "args")?;
    if let Some(value) = ev.select_opt(arguments, name)? {
        return ev.force(value);
    }
    let mut known: Vec<String> = vec!["config".into(), "options".into(), "lib".into()];
    for set in [arguments, context.special_args] {
        for attribute in ev.attributes(set)? {
            known.push(ev.name(attribute.name).to_owned());
        }
    }
    let mut diagnostic = Diagnostic::error(
        &diagnostics::missing_argument::ENTRY,
        format!("a module wants an argument that nobody gives: `{name}`"),
    );
    if let Some(span) = position {
        diagnostic = diagnostic.label(span, "wanted here");
    }
    known.sort();
    let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    Err(EvalError::new(
        diagnostic
            .help(format!("give it with `_module.args.{name} = ...;`"))
            .note(format!("modules are given {}", known.join(", "))),
    ))
}

type Parts = (Module, Vec<Value>, Vec<String>);

fn take_apart(ev: &mut Evaluator, loaded: Loaded) -> EvalResult<Parts> {
    let Loaded { value, mut file, mut key, position } = loaded;
    if let Some(name) = ev.select_opt(value, "_file")? {
        file = file_name(ev, name)?.into();
    }
    if let Some(name) = ev.select_opt(value, "key")? {
        key = Some(file_name(ev, name)?);
    }
    let imports = match ev.select_opt(value, "imports")? {
        Some(list) => ev
            .expect_list(list)
            .map_err(|error| error.frame(None, format!("while reading `imports` of the module `{file}`")))?,
        None => Vec::new(),
    };
    let mut disabled = Vec::new();
    if let Some(list) = ev.select_opt(value, "disabledModules")? {
        for item in ev.expect_list(list)? {
            disabled.push(file_name(ev, item)?);
        }
    }
    let explicit = ev.select_opt(value, "config")?.is_some() || ev.select_opt(value, "options")?.is_some();
    let part = |ev: &mut Evaluator, name: &str| -> EvalResult<Option<Definition>> {
        let symbol = ev.symbol(name);
        let attribute = ev.attribute(value, symbol)?;
        Ok(attribute.map(|a| Definition {
            file: file.clone(),
            value: a.value,
            position: a.position.or(position),
        }))
    };
    let options = part(ev, "options")?;
    let freeform = ev.select_opt(value, "freeformType")?;
    let config = if explicit {
        refuse_mixture(ev, value, &file)?;
        let empty = ev.attrs(&[]);
        part(ev, "config")?.unwrap_or_else(|| Definition { file: file.clone(), value: empty, position })
    } else {
        Definition { file: file.clone(), value: shorthand(ev, value)?, position }
    };
    Ok((Module { file, key, options, config, freeform }, imports, disabled))
}

const STRUCTURE: [&str; 9] =
    ["_class", "_file", "key", "disabledModules", "imports", "options", "config", "meta", "freeformType"];

fn refuse_mixture(ev: &mut Evaluator, value: Value, file: &str) -> EvalResult<()> {
    for attribute in ev.attributes(value)? {
        let name = ev.name(attribute.name).to_owned();
        if STRUCTURE.contains(&name.as_str()) {
            continue;
        }
        let mut diagnostic = Diagnostic::error(
            &diagnostics::not_a_module::ENTRY,
            format!("the module `{file}` has `config` or `options`, so `{name}` cannot stand beside them"),
        )
        .help(format!("move it: `config.{name} = ...;`"));
        if let Some(span) = attribute.position {
            diagnostic = diagnostic.label(span, "belongs into `config`");
        }
        return Err(EvalError::new(diagnostic));
    }
    Ok(())
}

fn shorthand(ev: &mut Evaluator, value: Value) -> EvalResult<Value> {
    let mut kept = Vec::new();
    for attribute in ev.attributes(value)? {
        let name = ev.name(attribute.name);
        if !STRUCTURE.contains(&name) || name == "meta" {
            kept.push(attribute);
        }
    }
    Ok(ev.attrs_at(&kept))
}

fn file_name(ev: &mut Evaluator, value: Value) -> EvalResult<String> {
    match ev.kind(value)? {
        Kind::Path => ev.expect_path(value),
        Kind::Attrs => {
            let key = ev.select(value, "key")?;
            file_name(ev, key)
        }
        _ => Ok(ev.expect_string_context(value)?.0),
    }
}
