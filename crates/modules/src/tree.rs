//! The tree of options: folders of names, options at its leaves.

use crate::definition::{Definition, Property, property, push_down};
use crate::diagnostics;
use crate::evaluation::Context;
use crate::freeform;
use crate::location::Location;
use crate::option::{DeclaredOption, OptionState};
use crate::settings;
use nival_diagnostics::Diagnostic;
use nival_eval::{Attribute, EvalError, EvalResult, Evaluator, Symbol, Value};
use rustc_hash::FxHashMap;
use std::cell::{Cell, OnceCell};
use std::rc::Rc;

/// Definitions by the name of what they define.
type NamedDefinitions = Rc<[(Symbol, Rc<[Definition]>)]>;

/// A name in the tree with everything that modules say about it and below it.
pub(crate) struct Node {
    pub(crate) context: Rc<Context>,
    pub(crate) location: Location,
    pub(crate) declarations: Vec<Definition>,
    pub(crate) definitions: Vec<Definition>,
    is_root: bool,
    /// At the root, the types that modules name in `freeformType`.
    declared_freeform: Vec<Value>,
    freeform: OnceCell<Option<Value>>,
    /// The folder's own name where it lies at the root.
    top: Option<Symbol>,
    names: OnceCell<NamedDefinitions>,
    by_name: OnceCell<Rc<ByName>>,
    sorting: Cell<bool>,
    states: std::cell::RefCell<FxHashMap<Symbol, Rc<Child>>>,
}

/// Definitions by the name that they are for, in the order in which names were met.
pub(crate) type ByName = FxHashMap<Symbol, Vec<Definition>>;

/// What a name stands for.
pub(crate) enum Child {
    Option(Rc<OptionState>),
    Folder(Rc<Node>),
}

impl Node {
    pub(crate) fn root(
        context: Rc<Context>,
        declarations: Vec<Definition>,
        definitions: Vec<Definition>,
        declared_freeform: Vec<Value>,
    ) -> Self {
        let location = context.location.clone();
        Self {
            is_root: true,
            declared_freeform,
            ..Self::folder(context, location, declarations, definitions)
        }
    }

    fn folder(
        context: Rc<Context>,
        location: Location,
        declarations: Vec<Definition>,
        definitions: Vec<Definition>,
    ) -> Self {
        Self {
            context,
            location,
            declarations,
            definitions,
            is_root: false,
            declared_freeform: Vec::new(),
            freeform: OnceCell::new(),
            top: None,
            names: OnceCell::new(),
            by_name: OnceCell::new(),
            sorting: Cell::new(false),
            states: Default::default(),
        }
    }

    fn waiting(&self) -> &[(Symbol, Rc<str>, Value)] {
        self.top.map_or(&[], |name| self.context.on_demand(name))
    }

    /// The type of what no option stands for, here and below; only roots have one.
    pub(crate) fn freeform(&self, ev: &mut Evaluator) -> EvalResult<Option<Value>> {
        if let Some(freeform) = self.freeform.get() {
            return Ok(*freeform);
        }
        let found = match self.is_root {
            true => settings::freeform(ev, self, &self.declared_freeform)?,
            false => None,
        };
        Ok(*self.freeform.get_or_init(|| found))
    }

    /// The declared names with their declarations, in order of the first declaration.
    pub(crate) fn names(&self, ev: &mut Evaluator) -> EvalResult<NamedDefinitions> {
        if let Some(names) = self.names.get() {
            return Ok(names.clone());
        }
        let mut order = Vec::new();
        let mut all: FxHashMap<Symbol, Vec<Definition>> = FxHashMap::default();
        for declaration in &self.declarations {
            for attribute in ev.attributes(declaration.value)? {
                let child = declaration.below(ev, &attribute);
                all.entry(attribute.name).or_insert_with(|| {
                    order.push(attribute.name);
                    Vec::new()
                });
                all.entry(attribute.name).or_default().push(child);
            }
        }
        for (name, file, value) in self.waiting() {
            all.entry(*name).or_insert_with(|| {
                order.push(*name);
                vec![Definition { file: file.clone(), value: *value, position: None }]
            });
        }
        let names =
            order.into_iter().map(|name| (name, all.remove(&name).unwrap_or_default().into())).collect();
        Ok(self.names.get_or_init(|| names).clone())
    }

    /// The definitions by name; forces the sets that modules give here, not the conditions around them.
    pub(crate) fn by_name(&self, ev: &mut Evaluator) -> EvalResult<Rc<ByName>> {
        if let Some(all) = self.by_name.get() {
            return Ok(all.clone());
        }
        if self.sorting.replace(true) {
            let shown =
                if self.is_root { "the configuration".to_owned() } else { format!("`{}`", self.location) };
            return Err(EvalError::new(
                Diagnostic::error(
                    &diagnostics::circular::ENTRY,
                    format!("which options are defined in {shown} depends on the values of those options"),
                )
                .help("a module's set of names must not depend on `config`: put `lib.mkIf` around values instead of `if`"),
            ));
        }
        let mut all = ByName::default();
        let result = self.definitions.iter().try_for_each(|definition| {
            self.expect_set(ev, definition)?;
            push_down(ev, definition, &mut |_, name, child| {
                all.entry(name).or_default().push(child);
                Ok(())
            })
        });
        self.sorting.set(false);
        result?;
        Ok(self.by_name.get_or_init(|| Rc::new(all)).clone())
    }

    fn expect_set(&self, ev: &mut Evaluator, definition: &Definition) -> EvalResult<()> {
        if ev.kind(definition.value)? == nival_eval::Kind::Attrs {
            return Ok(());
        }
        let got = ev.type_name(definition.value)?;
        let mut diagnostic = Diagnostic::error(
            &diagnostics::wrong_type::ENTRY,
            format!("`{}` holds options, so it takes a set, not a {got}", self.location),
        );
        if let Some(span) = definition.position {
            diagnostic = diagnostic.label(span, "defined here");
        }
        Err(EvalError::thrown(diagnostic.help(format!("write `{}.OPTION = ...;`", self.location))))
    }

    /// Finds out what a declared name stands for.
    pub(crate) fn child(
        self: &Rc<Self>,
        ev: &mut Evaluator,
        name: Symbol,
        declarations: &Rc<[Definition]>,
    ) -> EvalResult<Rc<Child>> {
        if let Some(child) = self.states.borrow().get(&name) {
            return Ok(child.clone());
        }
        let location = self.location.child(ev.name(name));
        let mut options = Vec::new();
        for declaration in declarations.iter() {
            if property(ev, declaration.value)? == Some(Property::Option) {
                options.push(declaration.clone());
            }
        }
        let child = if options.is_empty() {
            let definitions = self.by_name(ev)?.get(&name).cloned().unwrap_or_default();
            let folder = Self::folder(self.context.clone(), location, declarations.to_vec(), definitions);
            Child::Folder(Rc::new(Self { top: self.is_root.then_some(name), ..folder }))
        } else if options.len() == declarations.len() {
            Child::Option(Rc::new(OptionState::new(
                self.clone(),
                name,
                location,
                DeclaredOption { declarations: options },
            )))
        } else {
            let below = |one: &&Definition| !options.iter().any(|option| option.value == one.value);
            let folders: Vec<_> = declarations.iter().filter(below).cloned().collect();
            for (n, option) in options.iter_mut().enumerate() {
                // Their types are merged, so what lies below goes to one of them.
                let below = if n == 0 { folders.as_slice() } else { &[] };
                *option = crate::option::with_options_below(ev, option, below)?
                    .ok_or_else(|| crate::option::mixed(&location, declarations))?;
            }
            Child::Option(Rc::new(OptionState::new(
                self.clone(),
                name,
                location,
                DeclaredOption { declarations: options },
            )))
        };
        let child = Rc::new(child);
        self.states.borrow_mut().insert(name, child.clone());
        Ok(child)
    }

    /// The set of values: one lazy attribute for each declared name, and free ones where they are allowed.
    pub(crate) fn config(self: &Rc<Self>, ev: &mut Evaluator) -> EvalResult<Value> {
        let mut attributes = self.lazily(ev, |node, ev, child| match child {
            Child::Option(state) => state.value(ev),
            Child::Folder(folder) => {
                let _ = node;
                folder.config(ev)
            }
        })?;
        if self.is_root {
            let module = crate::native::module_attribute(ev, self)?;
            if !attributes.iter().any(|attribute| attribute.name == module.name) {
                attributes.push(module);
            }
        }
        let declared = ev.attrs_at(&attributes);
        let Some(freeform) = self.freeform(ev)? else { return Ok(declared) };
        freeform::config(ev, self, freeform, declared)
    }

    /// The set of options.
    pub(crate) fn options(self: &Rc<Self>, ev: &mut Evaluator) -> EvalResult<Value> {
        let mut attributes = self.lazily(ev, |_, ev, child| match child {
            Child::Option(state) => state.describe(ev),
            Child::Folder(folder) => folder.options(ev),
        })?;
        if self.is_root {
            attributes.push(settings::options(ev, self));
        }
        Ok(ev.attrs_at(&attributes))
    }

    fn lazily(
        self: &Rc<Self>,
        ev: &mut Evaluator,
        make: fn(&Rc<Self>, &mut Evaluator, &Child) -> EvalResult<Value>,
    ) -> EvalResult<Vec<Attribute>> {
        let names = self.names(ev)?;
        let mut attributes = Vec::with_capacity(names.len());
        for (name, declarations) in names.iter() {
            let position = declarations.first().and_then(|declaration| declaration.position);
            let (node, name, declarations) = (self.clone(), *name, declarations.clone());
            let captures: Vec<Value> = declarations.iter().map(|declaration| declaration.value).collect();
            let value = ev.lazy(&captures, move |ev, _| {
                let child = node.child(ev, name, &declarations)?;
                make(&node, ev, &child)
            });
            attributes.push(Attribute { name, value, position });
        }
        Ok(attributes)
    }
}
