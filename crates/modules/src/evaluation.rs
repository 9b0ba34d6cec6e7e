//! One run of the engine over a set of modules.

use crate::collect::{Module, collect};
use crate::definition::Definition;
use crate::location::Location;
use crate::settings;
use crate::tree::{Child, Node};
use crate::unmatched;
use nival_eval::{EvalResult, Evaluator, Symbol, Value};
use std::cell::{Cell, OnceCell};
use std::rc::Rc;

/// What is to be evaluated.
pub struct Request {
    /// The modules: files, functions or sets.
    pub modules: Vec<Value>,
    /// Arguments that every module can take, and that `imports` may depend on: a set.
    pub special_args: Value,
    /// The `lib` that modules receive.
    pub lib: Option<Value>,
    /// Where the options lie in a larger tree.
    pub location: Location,
    /// The file that messages name for modules that come from none.
    pub origin: Rc<str>,
    /// Options that are declared once somebody defines or reads them.
    pub on_demand: Option<OnDemand>,
    /// What the modules are for, such as `nixos`: one that says that it is for something else is refused.
    pub class: Option<Rc<str>>,
}

/// Declarations that wait in a folder of options until they are wanted. A declaration that a module gives for the same
/// name comes first.
#[derive(Clone)]
pub struct OnDemand {
    /// The folder's name, at the root of the tree.
    pub folder: Symbol,
    /// Names below the folder with the files of their options, which are lazy.
    pub options: Rc<[(Symbol, Rc<str>, Value)]>,
}

/// What came of it; all values are lazy.
#[derive(Clone)]
pub struct Evaluated {
    /// The values of all options; forcing it reports definitions without an option.
    pub config: Value,
    /// The options themselves, with their definitions.
    pub options: Value,
    pub(crate) context: Rc<Context>,
}

/// What the parts of one evaluation share.
pub(crate) struct Context {
    pub(crate) special_args: Value,
    pub(crate) lib: Option<Value>,
    pub(crate) location: Location,
    pub(crate) origin: Rc<str>,
    pub(crate) class: Option<Rc<str>>,
    pub(crate) modules: Vec<Value>,
    on_demand: Option<OnDemand>,
    config: Cell<Value>,
    options: Cell<Value>,
    root: OnceCell<Rc<Node>>,
    collected: OnceCell<Rc<[Module]>>,
}

impl Context {
    pub(crate) fn config(&self) -> Value {
        self.config.get()
    }

    pub(crate) fn options(&self) -> Value {
        self.options.get()
    }

    /// The options that wait in the folder of that name at the root.
    pub(crate) fn on_demand(&self, folder: Symbol) -> &[(Symbol, Rc<str>, Value)] {
        match &self.on_demand {
            Some(waiting) if waiting.folder == folder => &waiting.options,
            _ => &[],
        }
    }

    /// What waits until it is wanted, for an evaluation with more modules.
    pub(crate) fn on_demand_again(&self) -> Option<OnDemand> {
        self.on_demand.clone()
    }

    /// The modules, gathered at the first call.
    pub(crate) fn collected(self: &Rc<Self>, ev: &mut Evaluator) -> EvalResult<Rc<[Module]>> {
        if let Some(collected) = self.collected.get() {
            return Ok(collected.clone());
        }
        let collected: Rc<[Module]> = collect(ev, self, &self.modules)?.into();
        Ok(self.collected.get_or_init(|| collected).clone())
    }

    /// The root of the options' tree.
    pub(crate) fn root(self: &Rc<Self>, ev: &mut Evaluator) -> EvalResult<Rc<Node>> {
        if let Some(root) = self.root.get() {
            return Ok(root.clone());
        }
        let modules = self.collected(ev)?;
        let declarations: Vec<Definition> =
            modules.iter().filter_map(|module| module.options.clone()).collect();
        let definitions: Vec<Definition> = modules.iter().map(|module| module.config.clone()).collect();
        let freeform: Vec<Value> = modules.iter().filter_map(|module| module.freeform).collect();
        let root = Node::root(self.clone(), declarations, definitions, freeform);
        Ok(self.root.get_or_init(|| Rc::new(root)).clone())
    }
}

impl Evaluated {
    /// The names below a folder at the root that a module declares or defines, in the order of the alphabet: what waits
    /// there until it is wanted is not among them.
    ///
    /// # Errors
    /// What gathering the modules raises.
    pub fn wanted(&self, ev: &mut Evaluator, folder: Symbol) -> EvalResult<Vec<String>> {
        let root = self.context.root(ev)?;
        let names = root.names(ev)?;
        let Some((_, declarations)) = names.iter().find(|(name, _)| *name == folder) else {
            return Ok(Vec::new());
        };
        let Child::Folder(node) = &*root.child(ev, folder, declarations)? else { return Ok(Vec::new()) };
        let mut wanted: Vec<String> = Vec::new();
        for declaration in &node.declarations {
            for attribute in ev.attributes(declaration.value)? {
                wanted.push(ev.name(attribute.name).to_owned());
            }
        }
        let defined = node.by_name(ev)?;
        wanted.extend(defined.keys().map(|name| ev.name(*name).to_owned()));
        wanted.sort();
        wanted.dedup();
        Ok(wanted)
    }

    /// The definitions that modules give, before they are merged: the module's file and its `config`.
    ///
    /// # Errors
    /// What gathering the modules raises.
    pub fn definitions(&self, ev: &mut Evaluator) -> EvalResult<Vec<Definition>> {
        let modules = self.context.collected(ev)?;
        Ok(modules.iter().map(|module| module.config.clone()).collect())
    }
}

/// Evaluates modules.
pub fn evaluate(ev: &mut Evaluator, request: Request) -> Evaluated {
    let context = Rc::new(Context {
        special_args: request.special_args,
        lib: request.lib,
        location: request.location,
        origin: request.origin,
        on_demand: request.on_demand,
        class: request.class,
        modules: request.modules,
        config: Cell::new(Value::NULL),
        options: Cell::new(Value::NULL),
        root: OnceCell::new(),
        collected: OnceCell::new(),
    });
    let mut held = context.modules.clone();
    held.push(context.special_args);
    held.extend(context.lib);
    held.extend(
        context.on_demand.iter().flat_map(|waiting| waiting.options.iter().map(|(.., value)| *value)),
    );
    let inner = context.clone();
    let config = ev.lazy(&held, move |ev, _| {
        let root = inner.root(ev)?;
        Node::config(&root, ev)
    });
    context.config.set(config);
    let inner = context.clone();
    let options = ev.lazy(&held, move |ev, _| {
        let root = inner.root(ev)?;
        Node::options(&root, ev)
    });
    context.options.set(options);
    let inner = context.clone();
    let checked = ev.lazy(&[config, options], move |ev, captures| {
        let root = inner.root(ev)?;
        if settings::checks(ev, &root)? {
            unmatched::check(ev, &root)?;
        }
        let config = ev.force(captures[0])?;
        without_module(ev, config)
    });
    Evaluated { config: checked, options, context }
}

fn without_module(ev: &mut Evaluator, config: Value) -> EvalResult<Value> {
    let mut kept = Vec::new();
    for attribute in ev.attributes(config)? {
        if ev.name(attribute.name) != "_module" {
            kept.push(attribute);
        }
    }
    Ok(ev.attrs_at(&kept))
}
