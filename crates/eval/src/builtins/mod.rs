//! The functions that the language brings along, one file per group.
//!
//! Each group has a table of [`Row`]s. A name that starts with `__` is hidden in
//! the global scope under that name, and appears in `builtins` without it.

mod arithmetic;
mod contexts;
mod control;
mod conversions;
mod derivation;
mod fetch;
mod files;
mod functions;
mod hashing;
mod imports;
mod lists;
mod output_of;
mod regex;
mod search_path;
mod sets;
mod sorting;
mod strings;
mod structured;
mod types;
mod versions;

use crate::error::EvalResult;
use crate::evaluator::{Builtin, Evaluator, Native, NativeCode, Plain};
use crate::value::{Value, tag};
use nival_syntax::Symbol;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// Name, number of arguments, which of them are forced anyway (bit per argument), code.
pub(crate) struct Row(pub(crate) &'static str, pub(crate) u32, pub(crate) u32, pub(crate) Builtin);

/// What builtins remember.
#[derive(Default)]
pub(crate) struct Outside {
    /// Paths that were copied into the store.
    pub(crate) copied: FxHashMap<String, String>,
    pub(crate) regexes: FxHashMap<Vec<u8>, Rc<regex::Compiled>>,
    pub(crate) derivations: derivation::Known,
    /// The sorted names of shapes that many sets have.
    pub(crate) name_lists: FxHashMap<crate::heap::Handle, Value>,
    /// The string values of symbols.
    pub(crate) names: Vec<Value>,
    /// What fetches the locked inputs of flakes.
    pub(crate) final_tree: Option<Value>,
}

/// The function that flakes fetch their locked inputs with; not seen by the language.
const FINAL_TREE: &str = "__fetchFinalTree";

const TABLES: &[&[Row]] = &[
    arithmetic::ROWS,
    contexts::ROWS,
    control::ROWS,
    conversions::ROWS,
    derivation::ROWS,
    fetch::ROWS,
    files::ROWS,
    functions::ROWS,
    hashing::ROWS,
    imports::ROWS,
    lists::ROWS,
    output_of::ROWS,
    regex::ROWS,
    search_path::ROWS,
    sets::ROWS,
    sorting::ROWS,
    strings::ROWS,
    types::ROWS,
    versions::ROWS,
];

/// What `derivation` does, in the language itself.
const DERIVATION: &str = include_str!("derivation.nix");

/// Files that are part of the language, as `<nix/...>`.
pub(crate) const OWN_FILES: &[(&str, &str)] = &[("/__corepkgs__/fetchurl.nix", include_str!("fetchurl.nix"))];

/// The text of a file that is part of the language.
pub(crate) fn own_file(path: &str) -> Option<&'static str> {
    OWN_FILES.iter().find(|(own, _)| *own == path).map(|(_, text)| *text)
}

/// The experimental feature that a builtin belongs to.
fn feature_of(name: &str) -> Option<&'static str> {
    match name {
        "fetchTree" => Some("fetch-tree"),
        "__fetchClosure" => Some("fetch-closure"),
        "__outputOf" => Some("dynamic-derivations"),
        _ => None,
    }
}

/// Builtins that keep no value in a vector of their own while they evaluate: under them values
/// can be collected.
const QUIET: &[&str] = &[
    "import",
    "map",
    "__genList",
    "__mapAttrs",
    "__foldl'",
    "__all",
    "__any",
    "__elem",
    "__head",
    "__elemAt",
    "__length",
    "__getAttr",
    "__hasAttr",
    "__concatStringsSep",
    "__tryEval",
    "__seq",
    "__deepSeq",
    "__addErrorContext",
    "__trace",
    "toString",
    "__unsafeDiscardStringContext",
    "__stringLength",
    "__isAttrs",
    "__isList",
    "__isString",
    "__isFunction",
];

/// Fills the global scope.
pub(crate) fn install(evaluator: &mut Evaluator) {
    let mut entries: Vec<(Symbol, Value)> = Vec::new();
    let mut add = |evaluator: &mut Evaluator, name: &str, value: Value| {
        let global = evaluator.symbol(name);
        evaluator.globals.insert(global, value);
        let short = evaluator.symbol(name.strip_prefix("__").unwrap_or(name));
        entries.push((short, value));
    };
    for row in TABLES.iter().flat_map(|rows| rows.iter()) {
        let Row(name, arity, strict, run) = *row;
        if feature_of(name).is_some_and(|feature| !evaluator.settings.features.contains(feature)) {
            continue;
        }
        let short = name.strip_prefix("__").unwrap_or(name);
        let (code, quiet) = (NativeCode::Builtin(run), QUIET.contains(&name));
        evaluator.natives.push(Native { name: short.into(), arity, strict, captures: 0, quiet, code });
        evaluator.plain.push(Plain { run, arity, strict, holds: u32::from(!quiet) });
        let id = evaluator.natives.len() as u32 - 1;
        if name == FINAL_TREE {
            evaluator.outside.final_tree = Some(Value::new(tag::NATIVE, id, 0));
            continue;
        }
        let value = Value::new(tag::NATIVE, id, 0);
        match name {
            "__substring" => evaluator.substring = value,
            "__stringLength" => evaluator.string_length = value,
            _ => {}
        }
        add(evaluator, name, value);
    }
    for (name, value) in [("true", Value::TRUE), ("false", Value::FALSE), ("null", Value::NULL)] {
        add(evaluator, name, value);
    }
    let world = evaluator.world();
    if let Some(time) = world.current_time() {
        let time = evaluator.int(time);
        add(evaluator, "__currentTime", time);
    }
    if let Some(system) = world.current_system() {
        let system = evaluator.string(&system);
        add(evaluator, "__currentSystem", system);
    }
    let version = evaluator.settings.nix_version.clone();
    for (name, text) in [("__nixVersion", version.as_str()), ("__storeDir", world.store_dir())] {
        let text = evaluator.string(text);
        add(evaluator, name, text);
    }
    let level = evaluator.int(6);
    add(evaluator, "__langVersion", level);
    let search_path = evaluator.lazy(&[], |evaluator, _| search_path::value(evaluator));
    add(evaluator, "__nixPath", search_path);
    let slot = evaluator.heap.allocate(crate::heap::Content::Values, 1);
    add(evaluator, "builtins", Value::reference(slot));
    if let Ok(derivation) = evaluator.eval_text("derivation-internal.nix", DERIVATION, "/", None) {
        add(evaluator, "derivation", derivation);
    }
    let builtins = evaluator.attrs(&entries);
    evaluator.heap.set(slot, builtins);
    evaluator.builtins = builtins;
    evaluator.builtins_slot = slot;
    let name = evaluator.symbol("builtins");
    evaluator.globals.insert(name, builtins);
}

impl Evaluator {
    /// Adds a function that needs more than this crate has, as `builtins.NAME`.
    pub fn add_builtin(&mut self, name: &str, value: Value) {
        let symbol = self.symbol(name);
        let global = self.symbol(&format!("__{name}"));
        self.globals.insert(global, value);
        let one = self.attrs(&[(symbol, value)]);
        if let Ok(builtins) = self.update(self.builtins, one) {
            self.builtins = builtins;
            self.heap.set(self.builtins_slot, builtins);
            self.heap.keep_all();
            let name = self.symbol("builtins");
            self.globals.insert(name, builtins);
        }
    }

    /// Asks for an experimental feature.
    pub(crate) fn require(&self, feature: &str, what: &str) -> EvalResult<()> {
        if self.settings.features.contains(feature) {
            return Ok(());
        }
        let text = format!("{what} needs the experimental feature `{feature}`, which is not switched on");
        Err(crate::error::EvalError::of(&crate::diagnostics::feature::ENTRY, text)
            .help(format!("add `extra-experimental-features = {feature}` to nix.conf, or to NIX_CONFIG")))
    }

    /// The function that flakes fetch their locked inputs with.
    pub fn final_tree_function(&self) -> Value {
        self.outside.final_tree.unwrap_or(Value::NULL)
    }

    /// The string of a symbol, made once.
    pub(crate) fn name_value(&mut self, name: Symbol) -> Value {
        let at = name.0 as usize;
        if let Some(value) = self.outside.names.get(at).copied()
            && value != Value::NULL
        {
            return value;
        }
        if self.outside.names.len() <= at {
            self.outside.names.resize(at.max(1024) + at / 2 + 1, Value::NULL);
        }
        let handle = self.heap.allocate_bytes(self.interner.name(name).as_bytes());
        let value = Value::new(tag::STRING, 0, handle);
        self.heap.keep(handle);
        self.outside.names[at] = value;
        value
    }
}

/// A Boolean as a result.
pub(crate) fn yes(value: bool) -> EvalResult {
    Ok(Value::bool(value))
}
