//! nixpkgs' own module system, served by native code where its very text is known.
//!
//! A tree brings its own `lib`. Where the hashes of its `modules.nix`, `options.nix` and `types.nix` are in the table of
//! states that were compared ([`verified`]), the functions in which evaluation spends its time are replaced while
//! `modules.nix` is read: the tree of options, what is declared and defined for each, properties and priorities. What is
//! public in the library stays: sets, their attributes, types with their functions in the language. Any other library is
//! evaluated as it is written. See `docs/design/0007-native-modules.md`.
//!
//! **Invariant**: nothing is forced that the library would not force; no value is another one.

mod configuration;
mod declarations;
mod definitions;
mod errors;
mod lib;
mod names;
mod properties;
mod tree;
mod verified;

use lib::{Code, Lib, USES};
use nival_eval::{EvalResult, Evaluator, FileType, Graft, Grafting, Value};
use std::cell::RefCell;
use std::rc::Rc;
use verified::{FILES, Unknown, verified};

/// Recognises libraries and serves them.
pub struct NativeModules {
    enabled: bool,
    notes: RefCell<Vec<String>>,
}

impl NativeModules {
    /// Serves the libraries that an evaluator reads from now on; where it is not enabled, it only says so.
    pub fn install(ev: &mut Evaluator, enabled: bool) -> Rc<Self> {
        let native = Rc::new(Self { enabled, notes: RefCell::default() });
        ev.graft_with(native.clone());
        native
    }

    /// For each library that was read: whether it is served natively, or why not.
    pub fn notes(&self) -> Vec<String> {
        self.notes.borrow().clone()
    }
}

impl Grafting for NativeModules {
    fn grafts(&self, ev: &mut Evaluator, path: &str, text: &[u8]) -> EvalResult<Vec<Graft>> {
        let Some(folder) = path.strip_suffix("/modules.nix") else { return Ok(Vec::new()) };
        let Some((options, types)) = beside(ev, folder) else { return Ok(Vec::new()) };
        let note = |what: String| self.notes.borrow_mut().push(format!("the modules of {folder}: {what}"));
        match verified([text, &options, &types]) {
            Ok(state) if self.enabled => {
                note(format!("native, as {}", state.name));
                let lib = Lib::new(ev, state.edition, folder);
                return Ok(grafts(ev, &lib));
            }
            Ok(_) => note("not native, since the setting `native-modules` is off".to_owned()),
            Err(Unknown::File(file, name)) => {
                note(format!("not native, since its {file} is not that of {name}"));
            }
            Err(Unknown::Wholly) => note("not native, since this state of them was not compared".to_owned()),
        }
        Ok(Vec::new())
    }
}

/// The other two files of a library; `None` where the folder is none.
fn beside(ev: &Evaluator, folder: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let world = ev.world();
    let read = |name: &str| {
        let path = format!("{folder}/{name}");
        let is_file = matches!(world.file_type(&path), Ok(Some(FileType::Regular)));
        is_file.then(|| world.read_file(&path).ok()).flatten()
    };
    Some((read(FILES[1])?, read(FILES[2])?))
}

/// How many arguments a function of the language has, and its code.
const FUNCTIONS: &[(&[&str], usize, Code)] = &[
    (&["dischargeProperties"], 1, properties::discharge_properties),
    (&["pushDownProperties"], 1, properties::push_down_properties),
    (&["mergeDefinitions"], 3, definitions::merge_definitions),
    (&["mergeOptionDecls"], 2, |ev, lib, a| declarations::merge_declarations(ev, lib, a[0], a[1])),
    (&["evalOptionValue"], 3, evaluated_option),
    (&["mergeModules"], 2, merged_modules),
    (&["mergeModules'"], 3, |ev, lib, a| tree::merge_modules(ev, lib, (a[0], a[1], a[2]))),
];

/// Definitions that are no functions: they are made from what is in scope.
const VALUES: &[(&[&str], &[&str], Code)] = &[
    (&["evalModules", "config", "declaredConfig"], &["options"], |ev, lib, scope| {
        let options = ev.select(scope[0], "options")?;
        configuration::declared_config(ev, lib, options)
    }),
    (&["evalModules", "checkUnmatched"], &["config", "merged", "options", "prefix"], |ev, lib, scope| {
        configuration::check_unmatched(ev, lib, scope[0])
    }),
];

fn grafts(ev: &mut Evaluator, lib: &Rc<Lib>) -> Vec<Graft> {
    let mut all = Vec::new();
    for (path, arity, code) in FUNCTIONS {
        let name = path[path.len() - 1];
        let native = lib.function(ev, name, *arity, *code);
        let lib = lib.clone();
        let function = ev.function(name, 1, &[], move |ev, _, scope| {
            lib.remember(ev, name, scope[0])?;
            Ok(native)
        });
        all.push(Graft { path, uses: USES, function });
    }
    for (path, uses, code) in VALUES {
        let function = lib.function(ev, path[path.len() - 1], 1, *code);
        all.push(Graft { path, uses, function });
    }
    all
}

fn merged_modules(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let configs = lib.later(ev, |all| all.root_configs, &[arguments[1]]);
    tree::merge_modules(ev, lib, (arguments[0], arguments[1], configs))
}

fn evaluated_option(ev: &mut Evaluator, lib: &Lib, arguments: &[Value]) -> EvalResult {
    let option = ev.expect_attrs(arguments[1])?;
    let option_type = properties::part(ev, option, lib.names.type_)?;
    tree::evaluated(ev, lib, arguments[0], (option, option_type), arguments[2])
}
