//! nixpkgs' own module system, served by native code where its very text is known.
//!
//! A tree brings its own `lib`. Where the hashes of its `modules.nix`, `options.nix` and `types.nix` are in the table of
//! states that were compared ([`verified`]), the functions in which evaluation spends its time are replaced while
//! `modules.nix` is read: the tree of options, what is declared and defined for each, properties and priorities. What is
//! public in the library stays: sets, their attributes, types with their functions in the language. Any other library is
//! evaluated as it is written. See `docs/design/0007-native-modules.md`.
//!
//! **Invariant**: nothing is forced that the library would not force; no value is another one.

mod collecting;
mod configuration;
mod declarations;
mod definitions;
mod errors;
mod lib;
mod names;
mod properties;
mod showing;
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
    /// Folders whose library is served whatever its texts are.
    trusted: RefCell<Vec<String>>,
    notes: RefCell<Vec<String>>,
}

impl NativeModules {
    /// Serves the libraries that an evaluator reads from now on; where it is not enabled, it only says so.
    pub fn install(ev: &mut Evaluator, enabled: bool) -> Rc<Self> {
        let native = Rc::new(Self { enabled, trusted: RefCell::default(), notes: RefCell::default() });
        ev.graft_with(native.clone());
        native
    }

    /// Serves the library in a folder as that of 2026, whatever its texts are: to compare it with what they say.
    pub fn trust(&self, folder: &str) {
        self.trusted.borrow_mut().push(folder.to_owned());
    }

    /// For each library that was read: whether it is served natively, or why not.
    pub fn notes(&self) -> Vec<String> {
        self.notes.borrow().clone()
    }
}

impl Grafting for NativeModules {
    fn grafts(&self, ev: &mut Evaluator, path: &str, text: &[u8]) -> EvalResult<Vec<Graft>> {
        let Some((folder, file)) = path.rsplit_once('/') else { return Ok(Vec::new()) };
        let Some(at) = FILES.iter().position(|known| *known == file) else { return Ok(Vec::new()) };
        let Some(texts) = texts(ev, folder, (at, text)) else { return Ok(Vec::new()) };
        let note = |what: String| {
            if at == 0 {
                self.notes.borrow_mut().push(format!("the modules of {folder}: {what}"));
            }
        };
        if self.trusted.borrow().iter().any(|trusted| trusted == folder) {
            note("native, as is asked for".to_owned());
            let lib = Lib::new(ev, lib::Edition::Early2026, folder);
            return Ok(grafts(ev, &lib, at));
        }
        match verified([&texts[0], &texts[1], &texts[2]]) {
            Ok(state) if self.enabled => {
                note(format!("native, as {}", state.name));
                let lib = Lib::new(ev, state.edition, folder);
                return Ok(grafts(ev, &lib, at));
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

/// The three files of a library, one of which was read already; `None` where the folder is none.
fn texts(ev: &Evaluator, folder: &str, (known, text): (usize, &[u8])) -> Option<[Vec<u8>; 3]> {
    let world = ev.world();
    let read = |at: usize| {
        if at == known {
            return Some(text.to_vec());
        }
        let path = format!("{folder}/{}", FILES[at]);
        let is_file = matches!(world.file_type(&path), Ok(Some(FileType::Regular)));
        is_file.then(|| world.read_file(&path).ok()).flatten()
    };
    Some([read(0)?, read(1)?, read(2)?])
}

/// A definition that is a function: its path, how many arguments it has, and its code.
type Function = (&'static [&'static str], usize, Code);
/// A definition that is made from what is in scope.
type Made = (&'static [&'static str], &'static [&'static str], Code);

const MODULES: &[Function] = &[
    (&["dischargeProperties"], 1, properties::discharge_properties),
    (&["pushDownProperties"], 1, properties::push_down_properties),
    (&["mergeDefinitions"], 3, definitions::merge_definitions),
    (&["mergeOptionDecls"], 2, |ev, lib, a| declarations::merge_declarations(ev, lib, a[0], a[1])),
    (&["evalOptionValue"], 3, evaluated_option),
    (&["mergeModules"], 2, merged_modules),
    (&["mergeModules'"], 3, |ev, lib, a| tree::merge_modules(ev, lib, (a[0], a[1], a[2]))),
    (&["unifyModuleSyntax"], 3, collecting::unify_module_syntax),
];

const MADE: &[Made] = &[
    (&["evalModules", "config", "declaredConfig"], &["options"], |ev, lib, scope| {
        let options = ev.select(scope[0], "options")?;
        configuration::declared_config(ev, lib, options)
    }),
    (&["evalModules", "checkUnmatched"], &["config", "merged", "options", "prefix"], |ev, lib, scope| {
        configuration::check_unmatched(ev, lib, scope[0])
    }),
    (&["collectModules", "collectStructuredModules"], collecting::USES, collecting::collect_function),
    (&["collectModules", "filterModules"], &["isDisabled"], collecting::filter_function),
];

const OPTIONS: &[Function] =
    &[(&["showOption"], 1, showing::show_option), (&["mergeEqualOption"], 2, showing::merge_equal)];

const TYPES: &[Function] = &[(&["checkDefsForError"], 3, showing::check_definitions)];

/// What is replaced in the file of that number.
fn grafts(ev: &mut Evaluator, lib: &Rc<Lib>, file: usize) -> Vec<Graft> {
    let (functions, made, uses): (&[Function], &[Made], _) =
        [(MODULES, MADE, USES), (OPTIONS, &[], &[]), (TYPES, &[], &[])][file];
    let mut all = Vec::new();
    for (path, arity, code) in functions {
        let name = path[path.len() - 1];
        let native = lib.function(ev, name, *arity, *code);
        let lib = lib.clone();
        let function = ev.function(name, 1, &[], move |ev, _, scope| {
            lib.remember(ev, name, scope[0])?;
            Ok(native)
        });
        all.push(Graft { path, uses, function });
    }
    for (path, uses, code) in made {
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
