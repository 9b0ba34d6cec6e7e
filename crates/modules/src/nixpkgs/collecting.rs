//! `collectModules`: modules, those that they import, and which of them are disabled.
//!
//! What a module usually is goes a short way: a path, a function of the language, a set without `_type`. Anything else is
//! left to the library's own functions.

use super::errors;
use super::lib::Lib;
use super::properties::part;
use nival_eval::{EvalResult, Evaluator, Kind, Symbol, Value};
use rustc_hash::FxHashSet;
use std::collections::VecDeque;

/// What `collectStructuredModules` has in scope.
pub(super) const USES: &[&str] =
    &["class", "loadModule", "checkModule", "unifyModuleSyntax", "applyModuleArgs"];

/// A module and where it comes from.
struct Loader {
    class: Value,
    load: Value,
    check: Value,
    arguments: Value,
}

/// `collectStructuredModules` with what is in scope: a function of file, key, modules and arguments.
pub(super) fn collect_function(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    lib.given(ev, |all| all.collect, &[arguments[0]])
}

/// `collectStructuredModules parentFile parentKey initialModules args`
pub(super) fn collect(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let (scope, file, key, modules) = (arguments[0], arguments[1], arguments[2], arguments[3]);
    let mut found = [Value::NULL; 3];
    for (place, name) in found.iter_mut().zip(USES) {
        *place = ev.select_opt(scope, name)?.unwrap_or(Value::NULL);
    }
    let [class, load, check] = found;
    let class = ev.force(class)?;
    let loader = Loader { class, load, check, arguments: arguments[4] };
    loader.collect(ev, lib, (file, key), modules)
}

impl Loader {
    fn collect(
        &self,
        ev: &mut Evaluator,
        lib: &Lib,
        (file, key): (Value, Value),
        modules: Value,
    ) -> EvalResult {
        let names = lib.names;
        let (mut all, mut disabled) = (Vec::new(), Vec::new());
        for (at, value) in ev.expect_list(modules)?.into_iter().enumerate() {
            let fallback = Fallback { file, parent: key, at: at + 1 };
            let mut module = self.load(ev, lib, &fallback, value)?;
            if self.class != Value::NULL {
                module = ev.call(self.check, &[module])?;
            }
            let (file, key) = (part(ev, module, names.module_file)?, part(ev, module, names.key)?);
            let imports = part(ev, module, names.imports)?;
            let switched_off = part(ev, module, names.disabled_modules)?;
            if !ev.is_empty_list(switched_off)? {
                disabled.push(ev.attrs(&[(names.file, file), (names.disabled, switched_off)]));
            }
            let inner = ev.deeper_by(|ev| self.collect(ev, lib, (file, key), imports))?;
            let inner_disabled = part(ev, inner, names.disabled)?;
            disabled.extend(ev.expect_list(inner_disabled)?);
            let inner_modules = part(ev, inner, names.modules)?;
            all.push(ev.attrs(&[
                (names.key, key),
                (names.module, module),
                (names.modules, inner_modules),
                (names.disabled, inner_disabled),
            ]));
        }
        let (all, disabled) = (ev.list(&all), ev.list(&disabled));
        Ok(ev.attrs(&[(names.modules, all), (names.disabled, disabled)]))
    }

    /// `loadModule args fallbackFile fallbackKey m`
    fn load(&self, ev: &mut Evaluator, lib: &Lib, fallback: &Fallback, value: Value) -> EvalResult {
        match ev.kind(value)? {
            Kind::Path | Kind::String => {
                let (path, context) = match ev.kind(value)? {
                    Kind::Path => (ev.expect_path(value)?, None),
                    _ => ev.expect_string_context(value).map(|(path, context)| (path, Some(context)))?,
                };
                if context.is_some_and(|context| !ev.context_elements(context).is_empty()) {
                    return self.by_library(ev, fallback, value);
                }
                let name = ev.string(&path);
                let module = ev.import(&path)?;
                self.load_value(ev, lib, fallback, (module, name, name), value)
            }
            Kind::Function | Kind::Attrs => {
                let key = fallback.key(ev)?;
                self.load_value(ev, lib, fallback, (value, fallback.file, key), value)
            }
            _ => self.by_library(ev, fallback, value),
        }
    }

    fn load_value(
        &self,
        ev: &mut Evaluator,
        lib: &Lib,
        fallback: &Fallback,
        (module, file, key): (Value, Value, Value),
        written: Value,
    ) -> EvalResult {
        match ev.kind(module)? {
            Kind::Function => {
                let Some(arguments) = arguments_of(ev, lib, module, self.arguments)? else {
                    return self.by_library(ev, fallback, written);
                };
                let module = ev.call(module, &[arguments])?;
                unify(ev, lib, (file, key), module)
            }
            Kind::Attrs if !is_callable(ev, module)? && ev.find(module, lib.names.tag)?.is_none() => {
                unify(ev, lib, (file, key), module)
            }
            _ => self.by_library(ev, fallback, written),
        }
    }

    fn by_library(&self, ev: &mut Evaluator, fallback: &Fallback, value: Value) -> EvalResult {
        let key = fallback.key(ev)?;
        ev.call(self.load, &[self.arguments, fallback.file, key, value])
    }
}

fn is_callable(ev: &mut Evaluator, set: Value) -> EvalResult<bool> {
    Ok(ev.select_opt(set, "__functor")?.is_some())
}

/// The file and the key of a module that says nothing of them.
struct Fallback {
    file: Value,
    parent: Value,
    at: usize,
}

impl Fallback {
    fn key(&self, ev: &mut Evaluator) -> EvalResult {
        let parent = ev.expect_string_context(self.parent)?.0;
        Ok(ev.string(&format!("{parent}:anon-{}", self.at)))
    }
}

/// What a module's function is called with; `None` for functions that the library has to look into.
fn arguments_of(ev: &mut Evaluator, lib: &Lib, function: Value, given: Value) -> EvalResult<Option<Value>> {
    let Some(formals) = ev.formals(function)? else {
        // A plain argument or a builtin: there is nothing to look for.
        return Ok(Some(given));
    };
    let mut missing = Vec::new();
    for formal in formals.names {
        if ev.find(given, formal.name)?.is_none() {
            let config = part(ev, given, lib.names.config)?;
            let name = ev.symbol_value(formal.name);
            missing.push((formal.name, lib.later(ev, |all| all.argument, &[config, name])));
        }
    }
    if missing.is_empty() {
        return Ok(Some(given));
    }
    let missing = ev.attrs(&missing);
    ev.update(given, missing).map(Some)
}

/// `config._module.args.NAME`
pub(super) fn argument(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let module = part(ev, arguments[0], lib.names.internal_module)?;
    let all = part(ev, module, lib.names.args)?;
    let name = ev.expect_string_context(arguments[1])?.0;
    match ev.select_opt(all, &name)? {
        Some(value) => Ok(value),
        None => Err(errors::missing_argument(ev, all, &name)),
    }
}

/// `unifyModuleSyntax file key m`
pub(super) fn unify_module_syntax(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    unify(ev, lib, (arguments[0], arguments[1]), arguments[2])
}

fn unify(ev: &mut Evaluator, lib: &Lib, (file, key): (Value, Value), module: Value) -> EvalResult {
    let names = lib.names;
    if ev.kind(module)? != Kind::Attrs {
        return Err(errors::not_a_module(ev, file, key));
    }
    let (config, options) = (ev.find(module, names.config)?, ev.find(module, names.options)?);
    let structured = config.is_some() || options.is_some();
    let mut imports = ev.find(module, names.imports)?;
    let own_key = ev.find(module, names.key)?;
    let key = text_or(ev, lib, own_key, key);
    let config = if structured {
        refuse_others(ev, lib, module, key)?;
        let config = config.unwrap_or_else(|| ev.attrs(&[]));
        let meta = ev.find(module, names.meta)?;
        with(ev, lib, config, meta, names.meta)
    } else {
        if let Some(required) = ev.find(module, names.require)? {
            imports = Some(lib.later(ev, |all| all.both, &[required, module]));
        }
        without_structure(ev, lib, module)?
    };
    let config = match ev.find(module, names.freeform_type)? {
        Some(freeform) => {
            let freeform = ev.attrs(&[(names.freeform_type, freeform)]);
            with(ev, lib, config, Some(freeform), names.internal_module)
        }
        None => config,
    };
    let nothing = ev.list(&[]);
    let own_file = ev.find(module, names.module_file)?;
    let file = text_or(ev, lib, own_file, file);
    let class = ev.find(module, names.class)?.unwrap_or(Value::NULL);
    let disabled = ev.find(module, names.disabled_modules)?.unwrap_or(nothing);
    let options = match options {
        Some(options) => options,
        None => ev.attrs(&[]),
    };
    Ok(ev.attrs(&[
        (names.module_file, file),
        (names.class, class),
        (names.key, key),
        (names.disabled_modules, disabled),
        (names.imports, imports.unwrap_or(nothing)),
        (names.options, options),
        (names.config, config),
    ]))
}

/// `mkMerge [ config { NAME = value; } ]`, where there is a value.
fn with(ev: &mut Evaluator, lib: &Lib, config: Value, value: Option<Value>, name: Symbol) -> Value {
    let Some(value) = value else { return config };
    let added = ev.attrs(&[(name, value)]);
    let (word, both) = (ev.string("merge"), ev.list(&[config, added]));
    ev.attrs(&[(lib.names.tag, word), (lib.names.contents, both)])
}

/// `toString own or other`
fn text_or(ev: &mut Evaluator, lib: &Lib, own: Option<Value>, other: Value) -> Value {
    let value = own.unwrap_or(other);
    match ev.known(value) {
        Some(known) if ev.text_of(known).is_some() => known,
        _ => lib.later(ev, |all| all.text, &[value]),
    }
}

/// `toString value`
pub(super) fn text(ev: &mut Evaluator, _: &Lib, arguments: &[Value]) -> EvalResult {
    let how = nival_eval::Coercion { more: true, copy_to_store: false };
    let (text, context) = ev.coerce_to_string(arguments[0], how)?;
    Ok(ev.string_with(&text, context))
}

/// `required ++ module.imports or [ ]`
pub(super) fn both(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let mut all = ev.expect_list(arguments[0])?;
    if let Some(imports) = ev.find(arguments[1], lib.names.imports)? {
        all.extend(ev.expect_list(imports)?);
    }
    Ok(ev.list(&all))
}

/// What a module with `config` or `options` may have beside them.
fn refuse_others(ev: &mut Evaluator, lib: &Lib, module: Value, key: Value) -> EvalResult<()> {
    let names = lib.names;
    let known = [
        names.class,
        names.module_file,
        names.key,
        names.disabled_modules,
        names.imports,
        names.options,
        names.config,
        names.meta,
        names.freeform_type,
    ];
    let mut others: Vec<String> = Vec::new();
    for (name, ..) in ev.entries(module)? {
        if !known.contains(&name) {
            others.push(ev.name(name).to_owned());
        }
    }
    others.sort();
    match others.first() {
        Some(first) => Err(errors::unsupported(ev, key, first)),
        None => Ok(()),
    }
}

/// The configuration of a module that is written without `config`.
fn without_structure(ev: &mut Evaluator, lib: &Lib, module: Value) -> EvalResult {
    let names = lib.names;
    let left_out = [
        names.class,
        names.module_file,
        names.key,
        names.disabled_modules,
        names.require,
        names.imports,
        names.freeform_type,
    ];
    let mut entries = ev.entries(module)?;
    entries.retain(|(name, ..)| !left_out.contains(name));
    Ok(ev.attrs_of(&mut entries))
}

/// `filterModules modulesPath { disabled; modules; }` with `isDisabled` in scope: each key once, breadth first.
pub(super) fn filter_function(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let disabled = ev.select_opt(arguments[0], "isDisabled")?.unwrap_or(Value::NULL);
    lib.given(ev, |all| all.filter, &[disabled])
}

/// `filterModules` itself.
pub(super) fn filter(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let (is_disabled, folder, collected) = (arguments[0], arguments[1], arguments[2]);
    let names = lib.names;
    let disabled = part(ev, collected, names.disabled)?;
    let modules = part(ev, collected, names.modules)?;
    let mut queue: VecDeque<Value> = ev.expect_list(modules)?.into();
    let refuse = if queue.is_empty() || ev.is_empty_list(disabled)? {
        None
    } else {
        Some(ev.call(is_disabled, &[folder, disabled])?)
    };
    let mut seen: FxHashSet<Vec<u8>> = FxHashSet::default();
    let mut kept = Vec::new();
    while let Some(module) = queue.pop_front() {
        if let Some(refuse) = refuse {
            let answer = ev.call(refuse, &[module])?;
            if ev.expect_bool(answer)? {
                continue;
            }
        }
        let key = part(ev, module, names.key)?;
        let key = ev.force(key)?;
        let Some(text) = ev.text_of(key) else { continue };
        if !seen.insert(text.to_vec()) {
            continue;
        }
        kept.push(part(ev, module, names.module)?);
        let inner = part(ev, module, names.modules)?;
        queue.extend(ev.expect_list(inner)?);
    }
    Ok(ev.list(&kept))
}
