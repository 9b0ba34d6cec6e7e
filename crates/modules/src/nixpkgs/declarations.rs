//! `mergeOptionDecls` and `fixupOptionType`: from what modules declare to one option.

use super::errors;
use super::lib::{Edition, Lib};
use super::properties::part;
use nival_eval::{EvalResult, Evaluator, Symbol, Value};

/// An option as far as it is declared, while its declarations are gone through.
struct Declared {
    /// What all declarations say together; `None` before the first.
    set: Option<Value>,
    option_type: Option<Value>,
    files: Vec<Value>,
    positions: Value,
    options: Value,
}

/// `mergeOptionDecls loc opts`
pub(super) fn merge_declarations(ev: &mut Evaluator, lib: &Lib, location: Value, decls: Value) -> EvalResult {
    let nothing = ev.list(&[]);
    let mut all =
        Declared { set: None, option_type: None, files: Vec::new(), positions: nothing, options: nothing };
    for decl in ev.expect_list(decls)? {
        all.add(ev, lib, location, decl)?;
    }
    all.finish(ev, lib, location)
}

impl Declared {
    fn add(&mut self, ev: &mut Evaluator, lib: &Lib, location: Value, decl: Value) -> EvalResult<()> {
        let names = lib.names;
        let declared = part(ev, decl, names.options)?;
        let declared = ev.expect_attrs(declared)?;
        let file = part(ev, decl, names.module_file)?;
        if let Some(set) = self.set {
            for name in [names.default, names.example, names.description, names.apply] {
                if ev.find(declared, name)?.is_some() && ev.find(set, name)?.is_some() {
                    let files = ev.list(&self.files);
                    return Err(errors::twice(ev, location, file, files));
                }
            }
        }
        let declared_type = ev.find(declared, names.type_)?;
        self.option_type = match (self.option_type, declared_type) {
            (Some(known), Some(other)) => Some(self.united(ev, lib, (location, file), known, other)?),
            (known, other) => known.or(other),
        };
        self.options = lib.later(ev, |all| all.sub_modules, &[declared, file, self.options]);
        self.positions = lib.later(ev, |all| all.positions, &[self.positions, decl]);
        self.files.push(file);
        self.set = Some(match self.set {
            Some(set) => ev.update(declared, set)?,
            None => declared,
        });
        Ok(())
    }

    /// The type that two declarations have together.
    fn united(
        &self,
        ev: &mut Evaluator,
        lib: &Lib,
        (location, file): (Value, Value),
        known: Value,
        other: Value,
    ) -> EvalResult {
        let merge = part(ev, known, lib.names.type_merge)?;
        let functor = ev.lazy_select(other, &[lib.names.functor]);
        let merged = ev.call(merge, &[functor])?;
        if merged == Value::NULL {
            let files = ev.list(&self.files);
            return Err(errors::twice(ev, location, file, files));
        }
        Ok(merged)
    }

    fn finish(self, ev: &mut Evaluator, lib: &Lib, location: Value) -> EvalResult {
        let names = lib.names;
        let mut entries = match self.set {
            Some(set) => ev.entries(set)?,
            None => Vec::new(),
        };
        let files = ev.list(&self.files);
        for (name, value) in [
            (names.loc, location),
            (names.declarations, files),
            (names.declaration_positions, self.positions),
            (names.options, self.options),
        ] {
            entries.push((name, 0, value));
        }
        if self.files.len() > 1 {
            entries.extend(self.option_type.map(|option_type| (names.type_, 0, option_type)));
        }
        let option = ev.attrs_of(&mut entries);
        with_wrapped(ev, lib, location, option)
    }
}

/// Modules of a declaration's type that make up a submodule, before those of earlier declarations.
pub(super) fn sub_modules(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let (declared, file, earlier) = (arguments[0], arguments[1], arguments[2]);
    let Some(modules) = modules_of(ev, lib, declared)? else { return Ok(earlier) };
    let set_location = lib.variables().set_location;
    let mut all = Vec::new();
    for module in ev.expect_list(modules)? {
        all.push(ev.lazy_call(set_location, &[file, module]));
    }
    all.extend(ev.expect_list(earlier)?);
    Ok(ev.list(&all))
}

/// `option.type.getSubModules or null`
fn modules_of(ev: &mut Evaluator, lib: &Lib, option: Value) -> EvalResult<Option<Value>> {
    let Some(option_type) = ev.find(option, lib.names.type_)? else { return Ok(None) };
    let Some(modules) = ev.find_in(option_type, lib.names.get_sub_modules)? else { return Ok(None) };
    let modules = ev.force(modules)?;
    Ok((modules != Value::NULL).then_some(modules))
}

/// Where an option is declared: the places so far, and one more.
pub(super) fn positions(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let names = lib.names;
    let mut all = ev.expect_list(arguments[0])?;
    let position = part(ev, arguments[1], names.pos)?;
    let known = ev.force(position)?;
    all.push(if known == Value::NULL {
        let file = part(ev, arguments[1], names.module_file)?;
        let (line, column) = (ev.symbol("line"), ev.symbol("column"));
        ev.attrs(&[(names.file, file), (line, Value::NULL), (column, Value::NULL)])
    } else {
        known
    });
    Ok(ev.list(&all))
}

/// `fixupOptionType loc (mergeOptionDecls loc decls)`: the option, and its type.
pub(super) fn declared_option(
    ev: &mut Evaluator,
    lib: &Lib,
    location: Value,
    decls: Value,
) -> EvalResult<(Value, Value)> {
    let names = lib.names;
    let option = merge_declarations(ev, lib, location, decls)?;
    let has_modules = modules_of(ev, lib, option)?.is_some();
    let mut changed: Vec<(Symbol, Value)> = Vec::new();
    let option_type = if has_modules {
        let substituted = lib.later(ev, |all| all.substituted, &[option]);
        let nothing = ev.list(&[]);
        changed.push((names.options, nothing));
        substituted
    } else {
        match ev.find(option, names.type_)? {
            Some(option_type) => return Ok((option, option_type)),
            None => {
                let unspecified = ev.symbol("unspecified");
                ev.lazy_select(lib.variables().types, &[unspecified])
            }
        }
    };
    changed.push((names.type_, option_type));
    let changed = ev.attrs(&changed);
    Ok((ev.update(option, changed)?, option_type))
}

/// The type of a submodule with all modules that declarations give.
pub(super) fn substituted(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let names = lib.names;
    let option_type = part(ev, arguments[0], names.type_)?;
    let substitute = part(ev, option_type, names.substitute)?;
    let options = part(ev, arguments[0], names.options)?;
    ev.call(substitute, &[options])
}

/// What the library of 2025 does to types whose functor tells of a wrapped type: a warning is attached to it.
fn with_wrapped(ev: &mut Evaluator, lib: &Lib, location: Value, option: Value) -> EvalResult {
    let names = lib.names;
    if lib.edition != Edition::Mid2025 {
        return Ok(option);
    }
    let Some(option_type) = ev.find(option, names.type_)? else { return Ok(option) };
    let Some(functor) = ev.find_in(option_type, names.functor)? else { return Ok(option) };
    let Some(message) = ev.find_in(functor, names.wrapped_message)? else { return Ok(option) };
    let request = ev.attrs(&[(names.loc, location)]);
    let (wrapped, value) = (ev.symbol("wrapped"), ev.lazy_call(message, &[request]));
    let wrapped = ev.attrs(&[(wrapped, value)]);
    let functor = ev.update(functor, wrapped)?;
    let functor = ev.attrs(&[(names.functor, functor)]);
    let option_type = ev.update(option_type, functor)?;
    let changed = ev.attrs(&[(names.type_, option_type)]);
    ev.update(option, changed)
}
