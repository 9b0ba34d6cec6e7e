//! What the functions of one library share: names, the library's own functions that they call, and each other.

use super::names::Names;
use super::{collecting, configuration, declarations, definitions, tree};
use nival_eval::{EvalResult, Evaluator, Value};
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

/// Which state of nixpkgs' library a text has the meaning of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edition {
    /// As of the summer of 2025: before coherent checks, `emptyValue` where nothing is defined, and the removal of
    /// `functor.wrapped`.
    Mid2025,
    /// As of 2026.
    Early2026,
}

/// The variables that every graft is handed.
pub(super) const USES: &[&str] = &["types", "mkOption", "unsafeGetAttrPos", "setDefaultModuleLocation"];

/// Functions of the library that the native ones call.
#[derive(Clone, Copy)]
pub(super) struct Variables {
    pub(super) types: Value,
    pub(super) mk_option: Value,
    pub(super) position: Value,
    pub(super) set_location: Value,
}

/// One library.
pub(super) struct Lib {
    pub(super) names: Names,
    pub(super) edition: Edition,
    /// Where its files are.
    pub(super) folder: String,
    variables: Cell<Option<Variables>>,
    /// What grafts took the place of.
    originals: RefCell<Vec<(&'static str, Value)>>,
    functions: OnceCell<Functions>,
}

pub(super) type Code = fn(&mut Evaluator, &Lib, &[Value]) -> EvalResult;

macro_rules! functions {
    ($($field:ident = $arity:literal $code:path,)*) => {
        /// The native functions as values, for what is delayed.
        pub(super) struct Functions {
            $(pub(super) $field: Value,)*
        }

        impl Functions {
            fn new(ev: &mut Evaluator, lib: &Rc<Lib>) -> Self {
                Self { $($field: function(ev, lib, stringify!($field), $arity, $code),)* }
            }
        }
    };
}

functions! {
    filtered = 1 definitions::filtered,
    option_filtered = 3 definitions::option_filtered,
    finals = 1 definitions::finals,
    first = 1 definitions::first,
    checked = 3 definitions::checked,
    merged = 4 definitions::merged,
    with_priority = 2 definitions::with_priority,
    optional = 2 definitions::optional,
    is_defined = 1 definitions::is_defined,
    values = 1 definitions::values,
    files = 1 definitions::files,
    meta = 1 definitions::meta,
    internal_meta = 2 definitions::internal_meta,
    option_value = 3 definitions::option_value,
    shown = 2 definitions::shown,
    sub_modules = 3 declarations::sub_modules,
    substituted = 1 declarations::substituted,
    positions = 2 declarations::positions,
    declared = 2 tree::declared,
    raw = 2 tree::raw,
    raw_of = 2 tree::raw_of,
    pushed = 2 tree::pushed,
    results = 3 tree::results,
    result = 4 tree::result,
    option = 3 tree::option,
    matched = 1 tree::matched,
    matched_of = 1 tree::matched_of,
    unmatched = 4 tree::unmatched,
    root_configs = 1 tree::root_configs,
    select_value = 1 configuration::value_of,
    collect = 5 collecting::collect,
    filter = 3 collecting::filter,
    argument = 2 collecting::argument,
    text = 1 collecting::text,
    both = 2 collecting::both,
}

fn function(ev: &mut Evaluator, lib: &Rc<Lib>, name: &str, arity: usize, code: Code) -> Value {
    let lib = lib.clone();
    ev.function(name, arity, &[], move |ev, _, arguments| code(ev, &lib, arguments))
}

impl Lib {
    pub(super) fn new(ev: &mut Evaluator, edition: Edition, folder: &str) -> Rc<Self> {
        let lib = Rc::new(Self {
            names: Names::new(ev),
            edition,
            folder: folder.to_owned(),
            variables: Cell::new(None),
            originals: RefCell::default(),
            functions: OnceCell::new(),
        });
        let functions = Functions::new(ev, &lib);
        let _ = lib.functions.set(functions);
        lib
    }

    /// A function of the language that calls code with the library.
    pub(super) fn function(
        self: &Rc<Self>,
        ev: &mut Evaluator,
        name: &str,
        arity: usize,
        code: Code,
    ) -> Value {
        function(ev, self, name, arity, code)
    }

    /// Keeps what a graft is handed.
    pub(super) fn remember(&self, ev: &mut Evaluator, name: &'static str, scope: Value) -> EvalResult<()> {
        ev.keep(scope);
        if let Some(original) = ev.select_opt(scope, "original")? {
            self.originals.borrow_mut().push((name, original));
        }
        if self.variables.get().is_some() {
            return Ok(());
        }
        let mut all = [Value::NULL; 4];
        for (place, name) in all.iter_mut().zip(USES) {
            *place = ev.select_opt(scope, name)?.unwrap_or(Value::NULL);
        }
        let [types, mk_option, position, set_location] = all;
        self.variables.set(Some(Variables { types, mk_option, position, set_location }));
        Ok(())
    }

    /// What a graft took the place of; `null` where it was not used yet.
    pub(super) fn original(&self, name: &str) -> Value {
        let originals = self.originals.borrow();
        let found = originals.iter().find(|(known, _)| *known == name);
        found.map_or(Value::NULL, |(_, original)| *original)
    }

    /// What a graft was handed; `null`s before the first.
    pub(super) fn variables(&self) -> Variables {
        let nothing = Value::NULL;
        let none = Variables { types: nothing, mk_option: nothing, position: nothing, set_location: nothing };
        self.variables.get().unwrap_or(none)
    }

    /// A delayed call of one of the native functions.
    pub(super) fn later(
        &self,
        ev: &mut Evaluator,
        which: fn(&Functions) -> Value,
        arguments: &[Value],
    ) -> Value {
        match self.functions.get() {
            Some(functions) => ev.lazy_call(which(functions), arguments),
            None => Value::NULL,
        }
    }

    /// One of the native functions, given its first arguments.
    pub(super) fn given(
        &self,
        ev: &mut Evaluator,
        which: fn(&Functions) -> Value,
        arguments: &[Value],
    ) -> EvalResult {
        match self.functions.get() {
            Some(functions) => ev.call(which(functions), arguments),
            None => Ok(Value::NULL),
        }
    }
}
