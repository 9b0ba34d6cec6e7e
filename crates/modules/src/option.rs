//! One option: its declaration, its definitions, its value.

use crate::definition::{Definition, Effective, OPTION_DEFAULT_PRIORITY, effective};
use crate::diagnostics;
use crate::location::Location;
use crate::tree::Node;
use crate::types;
use nival_diagnostics::{Diagnostic, Span};
use nival_eval::{Attribute, EvalError, EvalResult, Evaluator, Symbol, Value};
use std::rc::Rc;

/// How many definitions of one option an error names.
const MOST_PLACES: usize = 4;

/// The declarations of one option; more than one where submodules are extended.
pub(crate) struct DeclaredOption {
    pub(crate) declarations: Vec<Definition>,
}

/// An option in its place, with what modules define for it.
pub(crate) struct OptionState {
    node: Rc<Node>,
    name: Symbol,
    pub(crate) location: Location,
    pub(crate) declared: DeclaredOption,
}

impl OptionState {
    pub(crate) fn new(node: Rc<Node>, name: Symbol, location: Location, declared: DeclaredOption) -> Self {
        Self { node, name, location, declared }
    }

    fn field(&self, ev: &mut Evaluator, name: &str) -> EvalResult<Option<Value>> {
        for declaration in &self.declared.declarations {
            if let Some(value) = ev.select_opt(declaration.value, name)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn flag(&self, ev: &mut Evaluator, name: &str) -> EvalResult<bool> {
        match self.field(ev, name)? {
            Some(value) => ev.expect_bool(value),
            None => Ok(false),
        }
    }

    /// The option's type: that of its declarations merged, or `unspecified` where none is named.
    pub(crate) fn option_type(&self, ev: &mut Evaluator) -> EvalResult<Option<Value>> {
        let mut merged: Option<Value> = None;
        self.refuse_said_twice(ev)?;
        for declaration in &self.declared.declarations {
            let Some(declared) = ev.select_opt(declaration.value, "type")? else { continue };
            merged = Some(match merged {
                None => declared,
                Some(other) => types::merge_types(ev, other, declared)?
                    .ok_or_else(|| twice(&self.location, &self.declared.declarations))?,
            });
        }
        Ok(merged)
    }

    /// Refuses an option of which two modules say the same thing, be it in the same words.
    fn refuse_said_twice(&self, ev: &mut Evaluator) -> EvalResult<()> {
        if self.declared.declarations.len() < 2 {
            return Ok(());
        }
        for name in ["default", "example", "description", "apply"] {
            let mut said = 0;
            for declaration in &self.declared.declarations {
                said += usize::from(ev.select_opt(declaration.value, name)?.is_some());
            }
            if said > 1 {
                return Err(said_twice(&self.location, &self.declared.declarations, name));
            }
        }
        Ok(())
    }

    /// The definitions from modules, with properties still on.
    pub(crate) fn definitions(&self, ev: &mut Evaluator) -> EvalResult<Vec<Definition>> {
        Ok(self.node.by_name(ev)?.get(&self.name).cloned().unwrap_or_default())
    }

    fn with_default(&self, ev: &mut Evaluator) -> EvalResult<Effective> {
        let mut definitions = self.definitions(ev)?;
        let read_only = self.flag(ev, "readOnly")?;
        let defaults = self.field(ev, "default")?;
        if read_only && definitions.len() > usize::from(defaults.is_none()) {
            return Err(self.set_read_only(&definitions));
        }
        if let (Some(value), Some(declaration)) = (defaults, self.declared.declarations.first()) {
            let (tag, priority, content) = (ev.symbol("_type"), ev.symbol("priority"), ev.symbol("content"));
            let (tag_value, priority_value) = (ev.string("override"), ev.int(OPTION_DEFAULT_PRIORITY));
            let value = ev.attrs(&[(tag, tag_value), (priority, priority_value), (content, value)]);
            definitions.insert(0, Definition { value, ..declaration.clone() });
        }
        effective(ev, &definitions)
            .map_err(|error| error.frame(None, format!("while evaluating the option `{}`", self.location)))
    }

    fn set_read_only(&self, definitions: &[Definition]) -> EvalError {
        let mut diagnostic = Diagnostic::error(
            &diagnostics::read_only::ENTRY,
            format!("the option `{}` is read-only: its module sets it", self.location),
        )
        .help("remove the definition; look for another option that steers what you want");
        for span in definitions.iter().filter_map(|definition| definition.position) {
            diagnostic = diagnostic.label(span, "set here");
        }
        EvalError::thrown(diagnostic)
    }

    /// The option's value: what its `apply` makes of the merged definitions, which are merged where it looks at them.
    pub(crate) fn value(self: &Rc<Self>, ev: &mut Evaluator) -> EvalResult<Value> {
        let Some(apply) = self.field(ev, "apply")? else {
            let merged = self.merged(ev)?;
            return ev.force(merged).map_err(|error| self.framed(error));
        };
        let state = self.clone();
        let merged = ev.lazy(&[], move |ev, _| {
            let merged = state.merged(ev)?;
            ev.force(merged)
        });
        ev.call(apply, &[merged]).map_err(|error| self.framed(error))
    }

    fn merged(&self, ev: &mut Evaluator) -> EvalResult<Value> {
        let effective = self.with_default(ev)?;
        match self.option_type(ev)? {
            Some(option_type) => self.merge(ev, option_type, effective.definitions),
            None if effective.definitions.is_empty() => Err(self.undefined()),
            None => types::merge_unspecified(ev, &self.location, &effective.definitions),
        }
    }

    fn merge(
        &self,
        ev: &mut Evaluator,
        option_type: Value,
        definitions: Vec<Definition>,
    ) -> EvalResult<Value> {
        if definitions.is_empty() {
            return match types::empty_value(ev, option_type, &self.location)? {
                Some(value) => Ok(value),
                None => Err(self.undefined()),
            };
        }
        types::merge(ev, option_type, &self.location, &definitions).map_err(|mut error| {
            // A definition's own place says more to its author than the option's.
            for span in definitions.iter().filter_map(|definition| definition.position).take(MOST_PLACES) {
                error = error
                    .frame(Some(span), format!("while evaluating this definition of `{}`", self.location));
            }
            self.framed(error)
        })
    }

    fn framed(&self, error: EvalError) -> EvalError {
        error.frame(self.position(), format!("while evaluating the option `{}`", self.location))
    }

    fn position(&self) -> Option<Span> {
        self.declared.declarations.first().and_then(|declaration| declaration.position)
    }

    fn undefined(&self) -> EvalError {
        let mut diagnostic = Diagnostic::error(
            &diagnostics::undefined_option::ENTRY,
            format!("the option has no value, and one is needed: `{}`", self.location),
        );
        // What is set beside it says who needs it.
        let mut beside = self.node.definitions.iter().filter_map(|definition| definition.position);
        if let Some(span) = beside.next() {
            diagnostic = diagnostic.label(span, "needed because of what is set here");
        }
        if let Some(span) = self.position() {
            diagnostic = diagnostic.label(span, "declared here, without a default");
        }
        EvalError::thrown(diagnostic.help(format!("set it: `{} = ...;`", self.location)))
    }

    /// The option as a value: what was declared, with its value, its definitions and their files.
    pub(crate) fn describe(self: &Rc<Self>, ev: &mut Evaluator) -> EvalResult<Value> {
        let mut described = Vec::new();
        let declared = self.declared.declarations.first().map(|declaration| declaration.value);
        // What several modules declare together is of one type; of all else, the first that says it counts.
        for declaration in &self.declared.declarations {
            for attribute in ev.attributes(declaration.value)? {
                if described.iter().all(|(name, _)| *name != attribute.name) {
                    described.push((attribute.name, attribute.value));
                }
            }
        }
        let lazy = |ev: &mut Evaluator, make: fn(&Rc<Self>, &mut Evaluator) -> EvalResult<Value>| {
            let state = self.clone();
            let captures: Vec<Value> = declared.into_iter().collect();
            ev.lazy(&captures, move |ev, _| make(&state, ev))
        };
        let value = lazy(ev, |state, ev| state.value(ev));
        if self.declared.declarations.len() > 1 {
            let merged = lazy(ev, |state, ev| match state.option_type(ev)? {
                Some(option_type) => ev.force(option_type),
                None => Ok(Value::NULL),
            });
            let name = ev.symbol("type");
            if let Some(found) = described.iter_mut().find(|(described, _)| *described == name) {
                found.1 = merged;
            }
        }
        let is_defined =
            lazy(ev, |state, ev| Ok(Value::bool(!state.with_default(ev)?.definitions.is_empty())));
        let priority = lazy(ev, |state, ev| {
            let priority = state.with_default(ev)?.priority;
            Ok(ev.int(priority))
        });
        let definitions = lazy(ev, |state, ev| {
            let all: Vec<_> =
                state.with_default(ev)?.definitions.iter().map(|definition| definition.value).collect();
            Ok(ev.list(&all))
        });
        let located = lazy(ev, |state, ev| state.located(ev));
        let files = lazy(ev, |state, ev| {
            let files: Vec<_> = state.with_default(ev)?.definitions.into_iter().map(|d| d.file).collect();
            let files: Vec<_> = files.iter().map(|file| ev.string(file)).collect();
            Ok(ev.list(&files))
        });
        let declarations: Vec<_> = self.declared.declarations.iter().map(|d| d.file.clone()).collect();
        let declarations: Vec<_> = declarations.iter().map(|file| ev.string(file)).collect();
        let declarations = ev.list(&declarations);
        let positions: Vec<_> =
            self.declared.declarations.iter().map(|one| position_of(ev, &one.file, one.position)).collect();
        let positions = ev.list(&positions);
        let names: Vec<_> = self.location.names().iter().map(|name| ev.string(name)).collect();
        let loc = ev.list(&names);
        for (name, value) in [
            ("value", value),
            ("isDefined", is_defined),
            ("highestPrio", priority),
            ("definitions", definitions),
            ("definitionsWithLocations", located),
            ("files", files),
            ("declarations", declarations),
            ("declarationPositions", positions),
            ("loc", loc),
        ] {
            described.push((ev.symbol(name), value));
        }
        Ok(ev.attrs(&described))
    }

    fn located(&self, ev: &mut Evaluator) -> EvalResult<Value> {
        let mut all = Vec::new();
        for definition in self.with_default(ev)?.definitions {
            let (file, value) = (ev.symbol("file"), ev.symbol("value"));
            let name = ev.string(&definition.file);
            let items = [
                Attribute { name: file, value: name, position: definition.position },
                Attribute { name: value, value: definition.value, position: definition.position },
            ];
            all.push(ev.attrs_at(&items));
        }
        Ok(ev.list(&all))
    }
}

/// `{ column, file, line }` of a declaration; without line and column where only the file is known.
fn position_of(ev: &mut Evaluator, file: &str, position: Option<Span>) -> Value {
    let place = position.map(|span| (ev.sources().position(span.source, span.start), span.source));
    let file = match place {
        Some((_, source)) => ev.sources().name(source).to_owned(),
        None => file.to_owned(),
    };
    let file = ev.string(&file);
    let (line, column) = match place {
        Some((place, _)) => (ev.int(i64::from(place.line)), ev.int(i64::from(place.column))),
        None => (Value::NULL, Value::NULL),
    };
    let all = [("column", column), ("file", file), ("line", line)];
    let all = all.map(|(name, value)| (ev.symbol(name), value));
    ev.attrs(&all)
}

/// An option whose type is a submodule, with options that other modules declare below it as modules of its own; `None` for
/// an option of another type.
pub(crate) fn with_options_below(
    ev: &mut Evaluator,
    option: &Definition,
    below: &[Definition],
) -> EvalResult<Option<Definition>> {
    let Some(option_type) = ev.select_opt(option.value, "type")? else { return Ok(None) };
    if !types::is_submodule(ev, option_type)? {
        return Ok(None);
    }
    let mut modules = Vec::new();
    for declaration in below {
        let (file, options) = (ev.symbol("_file"), ev.symbol("options"));
        let file_name = ev.string(&declaration.file);
        modules.push(ev.attrs_at(&[
            Attribute { name: file, value: file_name, position: None },
            Attribute { name: options, value: declaration.value, position: declaration.position },
        ]));
    }
    let option_type = types::with_modules(ev, option_type, &modules)?;
    let changed = ev.symbol("type");
    let changed = ev.attrs(&[(changed, option_type)]);
    Ok(Some(Definition { value: ev.update(option.value, changed)?, ..option.clone() }))
}

fn said_twice(location: &Location, declarations: &[Definition], what: &str) -> EvalError {
    let mut diagnostic = Diagnostic::error(
        &diagnostics::declared_twice::ENTRY,
        format!("two modules declare the option, each with `{what}`: `{location}`"),
    )
    .help("give one of them another name, or declare it once and set it in the other module");
    for span in declarations.iter().filter_map(|declaration| declaration.position) {
        diagnostic = diagnostic.label(span, "declared here");
    }
    EvalError::thrown(diagnostic)
}

fn twice(location: &Location, declarations: &[Definition]) -> EvalError {
    let mut diagnostic = Diagnostic::error(
        &diagnostics::declared_twice::ENTRY,
        format!("two modules declare the option with types that do not go together: `{location}`"),
    )
    .help("give one of them another name, or declare it once and set it in the other module");
    for span in declarations.iter().filter_map(|declaration| declaration.position) {
        diagnostic = diagnostic.label(span, "declared here");
    }
    EvalError::thrown(diagnostic)
}

/// The error for a name that one module makes an option and another a folder of options.
pub(crate) fn mixed(location: &Location, declarations: &[Definition]) -> EvalError {
    let mut diagnostic = Diagnostic::error(
        &diagnostics::declared_twice::ENTRY,
        format!("one module declares an option and another declares options below it: `{location}`"),
    )
    .help("give one of them another name");
    for span in declarations.iter().filter_map(|declaration| declaration.position) {
        diagnostic = diagnostic.label(span, "declared here");
    }
    EvalError::thrown(diagnostic)
}
