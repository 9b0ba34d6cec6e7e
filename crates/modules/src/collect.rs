//! Gathering modules: files, functions and sets, through their imports.

use crate::definition::Definition;
use crate::diagnostics;
use crate::evaluation::Context;
use crate::extension;
use crate::location::nearest;
use nival_diagnostics::{Diagnostic, Span};
use nival_eval::{Coercion, EvalError, EvalResult, Evaluator, Kind, Symbol, Value};
use rustc_hash::FxHashMap;
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
    /// The module that imports it, by its place among all; `None` for those that the caller named.
    importer: Option<usize>,
    /// Where that is said.
    imported: Option<Span>,
}

/// Gathers modules breadth first, each once, and returns them last one first, as definitions are merged.
///
/// What is disabled is left out with all that only it imports.
pub(crate) fn collect(
    ev: &mut Evaluator,
    context: &Rc<Context>,
    modules: &[Value],
) -> EvalResult<Vec<Module>> {
    let waiting = |value: &Value| Waiting {
        value: *value,
        parent: context.origin.clone(),
        importer: None,
        imported: None,
    };
    let mut queue: VecDeque<_> = modules.iter().map(waiting).collect();
    let mut graph = Graph::default();
    let mut disabled: Vec<String> = Vec::new();
    while let Some(waiting) = queue.pop_front() {
        if let Some(path) = path_of(ev, waiting.value)?
            && graph.meet(&path, waiting.importer)
        {
            continue;
        }
        let loaded = load(ev, context, &waiting)?;
        let (module, imports, disables) = take_apart(ev, context, loaded)?;
        if let Some(key) = &module.key
            && graph.meet(key, waiting.importer)
        {
            continue;
        }
        disabled.extend(disables);
        let file = module.file.clone();
        let at = graph.add(module, waiting.importer);
        let (imports, imported) = imports;
        queue.extend(imports.into_iter().map(|value| Waiting {
            value,
            parent: file.clone(),
            importer: Some(at),
            imported,
        }));
    }
    let mut all = graph.without(&disabled);
    all.reverse();
    Ok(all)
}

/// Modules with what they import.
#[derive(Default)]
struct Graph {
    modules: Vec<Module>,
    imports: Vec<Vec<usize>>,
    roots: Vec<usize>,
    by_key: FxHashMap<String, usize>,
}

impl Graph {
    /// Notes an import of a module that is there already; `false` where it is not.
    fn meet(&mut self, key: &str, importer: Option<usize>) -> bool {
        let Some(at) = self.by_key.get(key).copied() else { return false };
        self.link(importer, at);
        true
    }

    fn link(&mut self, importer: Option<usize>, at: usize) {
        match importer {
            Some(importer) => self.imports[importer].push(at),
            None => self.roots.push(at),
        }
    }

    fn add(&mut self, module: Module, importer: Option<usize>) -> usize {
        let at = self.modules.len();
        if let Some(key) = &module.key {
            self.by_key.insert(key.clone(), at);
        }
        self.modules.push(module);
        self.imports.push(Vec::new());
        self.link(importer, at);
        at
    }

    /// The modules that can be reached without passing one of some keys, in the order in which they are met.
    fn without(self, disabled: &[String]) -> Vec<Module> {
        if disabled.is_empty() {
            return self.modules;
        }
        let mut modules: Vec<Option<Module>> = self.modules.into_iter().map(Some).collect();
        let mut queue: VecDeque<usize> = self.roots.into();
        let mut kept = Vec::new();
        while let Some(at) = queue.pop_front() {
            let Some(module) = modules[at].take() else { continue };
            if module.key.as_ref().is_some_and(|key| disabled.contains(key)) {
                continue;
            }
            kept.push(module);
            queue.extend(&self.imports[at]);
        }
        kept
    }
}

/// The file that a module is written as, where it is one.
fn path_of(ev: &mut Evaluator, value: Value) -> EvalResult<Option<String>> {
    Ok(match ev.kind(value)? {
        Kind::Path => Some(ev.expect_path(value)?),
        Kind::String => Some(ev.expect_string_context(value)?.0),
        _ => None,
    })
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
    if let Some(path) = path_of(ev, value)? {
        file = path.as_str().into();
        value = ev
            .import(&path)
            .map_err(|error| error.frame(waiting.imported, format!("while importing the module `{path}`")))?;
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
        return Err(EvalError::thrown(diagnostic));
    }
    let position = nearest(ev, position, waiting.imported);
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
    given.push((ev.symbol("specialArgs"), context.special_args));
    for attribute in ev.attributes(context.special_args)? {
        given.retain(|(name, _)| *name != attribute.name);
        given.push((attribute.name, attribute.value));
    }
    let name = ev.symbol("lib");
    if let Some(lib) = context.lib
        && given.iter().all(|(given, _)| *given != name)
    {
        given.push((name, lib));
    }
    let formals = ev.formals(function)?;
    for formal in formals.into_iter().flat_map(|formals| formals.names) {
        if given.iter().any(|(name, _)| *name == formal.name) {
            continue;
        }
        let name = ev.name(formal.name).to_owned();
        if let Some(value) = of_engine(ev, context, &name) {
            given.push((formal.name, value));
            continue;
        }
        let (context, wanted) =
            (context.clone(), Wanted { position: formal.position, has_default: formal.has_default });
        let value =
            ev.lazy(&[config], move |ev, captures| module_argument(ev, &context, captures[0], &name, wanted));
        given.push((formal.name, value));
    }
    Ok(ev.attrs(&given))
}

/// Arguments that the engine itself gives to who names them.
fn of_engine(ev: &mut Evaluator, context: &Rc<Context>, name: &str) -> Option<Value> {
    match name {
        "_class" => Some(extension::class(ev, context)),
        "_prefix" => Some(extension::prefix(ev, &context.location)),
        "extendModules" => Some(extension::extend_modules(ev, context)),
        "moduleType" => Some(extension::module_type(ev, context)),
        _ => None,
    }
}

/// How a module's function names an argument.
#[derive(Clone, Copy)]
struct Wanted {
    position: Option<Span>,
    /// Whether it has a default there: one that no module system takes, since each named argument is given.
    has_default: bool,
}

fn module_argument(
    ev: &mut Evaluator,
    context: &Context,
    config: Value,
    name: &str,
    wanted: Wanted,
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
    if let Some(span) = wanted.position {
        diagnostic = diagnostic.label(span, "wanted here");
    }
    if wanted.has_default {
        diagnostic = diagnostic
            .note("the default that stands there is never taken: a module is given whatever it names");
    }
    known.sort();
    let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    Err(EvalError::new(
        diagnostic
            .help(format!("give it with `_module.args.{name} = ...;`"))
            .note(format!("modules are given {}", known.join(", "))),
    ))
}

/// A module with what it imports, where it says so, and what it disables.
type Parts = (Module, (Vec<Value>, Option<Span>), Vec<String>);

fn take_apart(ev: &mut Evaluator, context: &Context, loaded: Loaded) -> EvalResult<Parts> {
    let Loaded { value, mut file, mut key, position } = loaded;
    if let Some(name) = ev.select_opt(value, "_file")? {
        file = file_name(ev, name)?.into();
    }
    if let Some(name) = ev.select_opt(value, "key")? {
        key = Some(file_name(ev, name)?);
    }
    refuse_class(ev, context, value, &file, position)?;
    let imports = ev.symbol("imports");
    let imports = match ev.attribute(value, imports)? {
        Some(list) => {
            let place = nearest(ev, list.position, position);
            let read = ev.expect_list(list.value);
            let text = || format!("while reading `imports` of the module `{file}`");
            (read.map_err(|error| error.frame(place, text()))?, place)
        }
        None => (Vec::new(), None),
    };
    let mut disabled = Vec::new();
    if let Some(list) = ev.select_opt(value, "disabledModules")? {
        for item in ev.expect_list(list)? {
            let name = file_name(ev, item)?;
            disabled.push(below_modules_path(ev, context, item, name)?);
        }
    }
    let explicit = ev.select_opt(value, "config")?.is_some() || ev.select_opt(value, "options")?.is_some();
    let part = |ev: &mut Evaluator, name: &str| -> EvalResult<Option<Definition>> {
        let symbol = ev.symbol(name);
        let attribute = ev.attribute(value, symbol)?;
        Ok(attribute.map(|a| Definition {
            file: file.clone(),
            value: a.value,
            position: nearest(ev, a.position, position),
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

/// A text that is no absolute path names a file below the argument `modulesPath`.
fn below_modules_path(
    ev: &mut Evaluator,
    context: &Context,
    item: Value,
    name: String,
) -> EvalResult<String> {
    if ev.kind(item)? != Kind::String || name.starts_with('/') {
        return Ok(name);
    }
    match ev.select_opt(context.special_args, "modulesPath")? {
        Some(folder) => Ok(format!("{}/{name}", file_name(ev, folder)?)),
        None => Ok(name),
    }
}

/// Refuses a module whose `_class` is not what is made of the modules.
fn refuse_class(
    ev: &mut Evaluator,
    context: &Context,
    value: Value,
    file: &str,
    position: Option<Span>,
) -> EvalResult<()> {
    let symbol = ev.symbol("_class");
    let (Some(wanted), Some(attribute)) = (&context.class, ev.attribute(value, symbol)?) else {
        return Ok(());
    };
    if ev.kind(attribute.value)? == Kind::Null {
        return Ok(());
    }
    let class = ev.expect_string_context(attribute.value)?.0;
    if class == **wanted {
        return Ok(());
    }
    let mut diagnostic = Diagnostic::error(
        &diagnostics::wrong_class::ENTRY,
        format!("the module `{file}` is for `{class}`, and `{wanted}` is made here"),
    )
    .help(format!("import it into an evaluation of `{class}`, or remove its `_class` if it fits everywhere"));
    if let Some(span) = attribute.position.or(position) {
        diagnostic = diagnostic.label(span, format!("for `{class}`"));
    }
    Err(EvalError::thrown(diagnostic))
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
        return Err(EvalError::thrown(diagnostic));
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

/// A file, a module with a key, or a key: as the text that modules are told apart by.
fn file_name(ev: &mut Evaluator, value: Value) -> EvalResult<String> {
    match ev.kind(value)? {
        Kind::Path => ev.expect_path(value),
        Kind::Attrs => match ev.select_opt(value, "key")? {
            Some(key) => file_name(ev, key),
            None => Ok(ev.coerce_to_string(value, TO_STRING)?.0),
        },
        _ => Ok(ev.coerce_to_string(value, TO_STRING)?.0),
    }
}

/// As `toString` does it.
const TO_STRING: Coercion = Coercion { more: true, copy_to_store: false };
