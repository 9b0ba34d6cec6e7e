//! One evaluator with the library loaded.

use crate::error::Error;
use crate::library::LIBRARY_ROOT;
use crate::machine::Machine;
use crate::nix_settings::NixSettings;
use crate::project::Project;
use crate::world::EngineWorld;
use nival_diagnostics::{Diagnostic, Sources};
use nival_eval::{Attribute, EvalResult, Evaluator, Kind, Settings, Value};
use nival_store::LocalStore;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What a session is given from outside.
#[derive(Clone, Default)]
pub struct SessionOptions {
    /// The environment that `builtins.getEnv` sees.
    pub environment: BTreeMap<String, String>,
    /// Where relative entries of the search path and relative addresses of trees start: an absolute path.
    pub current_dir: PathBuf,
    /// Where `<name>` is looked for: prefix and path.
    pub search_path: Vec<(String, String)>,
    /// The time in seconds since 1970.
    pub now: Option<i64>,
    /// The system that is built for.
    pub system: String,
    /// Whether store paths are computed only, and nothing is written to the store.
    pub read_only: bool,
    /// The evaluator's limits.
    pub settings: Settings,
    /// The settings of nix.conf and NIX_CONFIG.
    pub nix: NixSettings,
    /// How the network is used.
    pub transport: nival_transport::Options,
    /// Ends what is fetched.
    pub cancel: nival_transport::Cancel,
    /// The user's folder for what was learnt of addresses; below the store where there is none.
    pub cache: Option<PathBuf>,
    /// How things are built.
    pub builds: crate::Builds,
}

/// One evaluator with the library loaded.
pub struct Session {
    pub(crate) evaluator: Evaluator,
    pub(crate) world: Rc<EngineWorld>,
    library: Option<Library>,
    native: Rc<nival_modules::NativeModules>,
}

#[derive(Clone, Copy)]
pub(crate) struct Library {
    pub(crate) lib: Value,
    pub(crate) modules: Value,
}

impl Session {
    /// Starts a session over a store.
    pub fn new(store: Arc<LocalStore>, options: SessionOptions) -> Self {
        let mut settings = options.settings.clone();
        settings.pure = options.nix.pure_eval();
        settings.features = options.nix.features();
        settings.import_from_derivation &= options.nix.flag("allow-import-from-derivation", true);
        settings.abort_on_warn = options.nix.flag("abort-on-warn", false);
        settings.lints = options.nix.lints();
        settings.trace_verbose = options.nix.flag("trace-verbose", false);
        let depth = options.nix.number("max-call-depth", settings.max_call_depth.into());
        settings.max_call_depth = u32::try_from(depth).unwrap_or(u32::MAX);
        let native_modules = options.nix.flag("native-modules", true);
        let world = Rc::new(EngineWorld::new(store, options));
        let mut evaluator = Evaluator::new(world.clone(), settings);
        crate::flakes::install(&mut evaluator, &world);
        let native = nival_modules::NativeModules::install(&mut evaluator, native_modules);
        Self { evaluator, world, library: None, native }
    }

    /// The evaluator, for what the functions here do not offer.
    pub fn evaluator(&mut self) -> &mut Evaluator {
        &mut self.evaluator
    }

    /// Lets evaluation see a path and what is below it, also where it is pure or restricted.
    pub fn allow(&self, path: &str) {
        self.world.allow(path);
    }

    /// Forgets files and inputs that were read: they are read again where they are wanted.
    pub fn forget_files(&mut self) {
        self.evaluator.forget_files();
        self.world.fetcher().forget_all();
    }

    /// The system that is built for.
    pub fn system(&self) -> &str {
        self.world.system()
    }

    /// What was looked at of the disk so far.
    pub fn seen(&self) -> crate::Seen {
        self.world.looked_at()
    }

    /// The texts that diagnostics mark.
    pub fn sources(&self) -> &Sources {
        self.evaluator.sources()
    }

    /// A flag that ends the evaluation with a coded error once it is set.
    pub fn interrupt_flag(&self) -> Arc<AtomicBool> {
        self.evaluator.interrupt_flag()
    }

    /// What `builtins.trace` and warnings said since the last call.
    pub fn take_messages(&self) -> (Vec<String>, Vec<Diagnostic>) {
        self.world.take_fetch_warnings();
        (self.world.traces.take(), self.world.warnings.take())
    }

    /// Serves the module system of a folder natively, whatever its files say: for those who compare the two.
    pub fn trust_module_system(&self, folder: &str) {
        self.native.trust(folder);
    }

    /// For each module system of a tree's own that was read: whether native code serves it, or why not.
    pub fn module_systems(&self) -> Vec<String> {
        self.native.notes()
    }

    pub(crate) fn library(&mut self) -> EvalResult<Library> {
        if let Some(library) = self.library {
            return Ok(library);
        }
        let ev = &mut self.evaluator;
        let native = nival_modules::native(ev);
        let name = ev.symbol("native");
        let arguments = ev.attrs(&[(name, native)]);
        let make = ev.import(&format!("{LIBRARY_ROOT}/lib"))?;
        let lib = ev.call(make, &[arguments])?;
        let modules = ev.import(&format!("{LIBRARY_ROOT}/modules"))?;
        let library = Library { lib, modules };
        self.library = Some(library);
        Ok(library)
    }

    /// The machines that a project declares: one where its file is a module, those of `machines` where it is a set with
    /// that one attribute.
    ///
    /// # Errors
    /// What evaluating the file raises.
    pub fn machines(&mut self, project: &Project) -> Result<Vec<Machine>, Error> {
        let file = project.file.to_string_lossy().into_owned();
        let value = self.evaluator.import(&file)?;
        let Some(set) = self.several(value)? else {
            let module = self.evaluator.path(&file);
            return Ok(vec![self.machine(project.name.clone(), module)?]);
        };
        let mut machines = Vec::new();
        for attribute in self.evaluator.attributes(set)? {
            let name = self.evaluator.name(attribute.name).to_owned();
            let module = self.with_file(&file, attribute);
            machines.push(self.machine(name, module)?);
        }
        Ok(machines)
    }

    /// A module that counts as written in a file, at the attribute that gives it.
    fn with_file(&mut self, file: &str, attribute: Attribute) -> Value {
        let ev = &mut self.evaluator;
        let (name, imports) = (ev.symbol("_file"), ev.symbol("imports"));
        let (file, list) = (ev.string(file), ev.list(&[attribute.value]));
        ev.attrs_at(&[
            Attribute { name, value: file, position: None },
            Attribute { name: imports, value: list, position: attribute.position },
        ])
    }

    fn several(&mut self, value: Value) -> Result<Option<Value>, Error> {
        let ev = &mut self.evaluator;
        if ev.kind(value)? != Kind::Attrs {
            return Ok(None);
        }
        let names = ev.attributes(value)?;
        match names.as_slice() {
            [only] if ev.name(only.name) == "machines" => Ok(Some(only.value)),
            _ => Ok(None),
        }
    }

    pub(crate) fn machine(&mut self, name: String, module: Value) -> Result<Machine, Error> {
        let library = self.library()?;
        Machine::new(&mut self.evaluator, library, name, module)
    }

    /// A machine of the library's modules alone, whose options can be listed.
    ///
    /// # Errors
    /// What evaluating the library raises.
    pub fn empty_machine(&mut self) -> Result<Machine, Error> {
        let module = self.evaluator.attrs(&[]);
        self.machine("machine".to_owned(), module)
    }
}

/// A cell that is filled after evaluation has begun.
pub(crate) type Later<T> = Rc<RefCell<Option<T>>>;
