//! One machine's configuration: from modules to what its roots ask for, and to its manifest.

use crate::diagnostics;
use crate::error::Error;
use crate::library::LIBRARY_ROOT;
use crate::session::{Later, Library, Session};
use nival_diagnostics::{Diagnostic, Span};
use nival_eval::{EvalError, EvalResult, Evaluator, Kind, Value};
use nival_modules::{Evaluated, Leaf, Request, evaluate, leaves};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// The versions that a lock names: for each root, packages by name.
pub type LockedVersions = BTreeMap<String, BTreeMap<String, String>>;

/// What one root of a machine asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootRequest {
    /// `system`, or the name of a further root.
    pub name: String,
    /// The Debian release.
    pub release: String,
    /// Packages as the configuration names them, sorted.
    pub packages: Vec<String>,
    /// Whether recommended packages come too.
    pub recommends: bool,
    /// Source packages.
    pub sources: Vec<String>,
}

impl RootRequest {
    /// Reads what a root asks for.
    pub(crate) fn read(name: String, root: &Json) -> Self {
        let texts = |field: &str| {
            let all = root[field].as_array().into_iter().flatten();
            let mut all: Vec<String> = all.filter_map(|p| p.as_str().map(str::to_owned)).collect();
            all.sort();
            all.dedup();
            all
        };
        Self {
            name,
            release: root["release"].as_str().unwrap_or_default().to_owned(),
            packages: texts("packages"),
            recommends: root["recommends"].as_bool().unwrap_or(false),
            sources: texts("sources"),
        }
    }
}

/// A machine's manifest without its packages, and what was said on the way.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The manifest, as `nival-os` reads it.
    pub json: Json,
    /// Warnings that modules give.
    pub warnings: Vec<String>,
}

/// One machine of a project.
pub struct Machine {
    name: String,
    evaluated: Evaluated,
    locked: Later<LockedVersions>,
}

impl Machine {
    pub(crate) fn new(
        ev: &mut Evaluator,
        library: Library,
        name: String,
        module: Value,
    ) -> Result<Self, Error> {
        let locked: Later<LockedVersions> = Later::default();
        let cell = locked.clone();
        let versions = ev.lazy(&[], move |ev, _| locked_versions(ev, &cell));
        let locked_name = ev.symbol("locked");
        let waiting = crate::services::on_demand(ev, library);
        let known: Later<Evaluated> = Later::default();
        let mut special_args = vec![(locked_name, versions)];
        for (name, value) in crate::services::arguments(ev, &waiting, &known) {
            special_args.push((ev.symbol(name), value));
        }
        let special_args = ev.attrs(&special_args);
        let mut modules = ev.expect_list(library.modules)?;
        modules.push(host_name(ev, &name));
        modules.push(module);
        let evaluated = evaluate(
            ev,
            Request {
                modules,
                special_args,
                lib: Some(library.lib),
                location: Default::default(),
                origin: "(machine)".into(),
                on_demand: Some(waiting),
                class: None,
            },
        );
        *known.borrow_mut() = Some(evaluated.clone());
        Ok(Self { name, evaluated, locked })
    }

    /// The name under which the project has the machine.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The instances of services that the machine has.
    pub(crate) fn system_instances(&self, ev: &mut Evaluator) -> EvalResult<Value> {
        let system = ev.select(self.evaluated.config, "system")?;
        ev.select(system, "instances")
    }

    pub(crate) fn options_value(&self) -> Value {
        self.evaluated.options
    }

    /// The repositories beside Debian's own: `{ name, url, suite, components, priority, pins, key }` each.
    ///
    /// # Errors
    /// What evaluation raises.
    pub fn repositories(&self, session: &mut Session) -> Result<Vec<Json>, Error> {
        let ev = &mut session.evaluator;
        let system = ev.select(self.evaluated.config, "system")?;
        let repositories = ev.select(system, "repositories")?;
        let text = ev.to_json(repositories, false)?.0;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// What the machine's roots ask for; needs no lock.
    ///
    /// # Errors
    /// What evaluation raises.
    pub fn roots(&self, session: &mut Session) -> Result<Vec<RootRequest>, Error> {
        let ev = &mut session.evaluator;
        let system = ev.select(self.evaluated.config, "system")?;
        let roots = ev.select(system, "roots")?;
        let text = ev.to_json(roots, false)?.0;
        let roots: BTreeMap<String, Json> = serde_json::from_str(&text).unwrap_or_default();
        Ok(roots.into_iter().map(|(name, root)| RootRequest::read(name, &root)).collect())
    }

    /// Tells the machine what is locked, for facts that depend on it.
    pub fn set_locked(&self, versions: LockedVersions) {
        *self.locked.borrow_mut() = Some(versions);
    }

    /// Evaluates everything that the machine is made of.
    ///
    /// # Errors
    /// What evaluation raises, and `NV0801` for an assertion that does not hold.
    pub fn manifest(&self, session: &mut Session) -> Result<Manifest, Error> {
        let definitions = self.definitions(&mut session.evaluator)?;
        for definition in &definitions {
            self.check_service(&mut session.evaluator, &definition.names)?;
        }
        self.check_assertions(&mut session.evaluator, &definitions)?;
        let ev = &mut session.evaluator;
        let config = self.evaluated.config;
        let warnings = ev.select(config, "warnings")?;
        let warnings = ev.to_json(warnings, false)?.0;
        let system = ev.select(config, "system")?;
        let manifest = ev.select(system, "manifest")?;
        let text = ev.to_json(manifest, true)?.0;
        let mut json: Json = serde_json::from_str(&text).unwrap_or(Json::Null);
        let mut described = serde_json::Map::new();
        for definition in definitions {
            let place = definition.span.map(|span| origin(ev, span, &definition.location));
            let origins: Vec<Json> = place.into_iter().collect();
            described.insert(definition.location, json!({ "value": definition.value, "origin": origins }));
        }
        json["definitions"] = Json::Object(described);
        Ok(Manifest { json, warnings: serde_json::from_str(&warnings).unwrap_or_default() })
    }

    /// The value of an option; `path` is dotted.
    ///
    /// # Errors
    /// What evaluation raises.
    pub fn option(&self, session: &mut Session, path: &str) -> Result<Value, Error> {
        let mut value = self.evaluated.config;
        for name in path.split('.').filter(|name| !name.is_empty()) {
            value = session.evaluator.select(value, name)?;
        }
        Ok(value)
    }

    /// Where the user's own modules name a text, alone or in a list: the options, and the places.
    ///
    /// # Errors
    /// What evaluating the definitions raises.
    pub fn places_of(&self, session: &mut Session, text: &str) -> Result<Vec<(String, Span)>, Error> {
        let is_meant = |value: &Json| {
            let rest = value.as_str().and_then(|value| value.strip_prefix(text));
            rest.is_some_and(|rest| {
                !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || "+-.".contains(c))
            })
        };
        let mut places = Vec::new();
        for definition in self.definitions(&mut session.evaluator)? {
            let names = match &definition.value {
                Json::Array(all) => all.iter().any(is_meant),
                one => is_meant(one),
            };
            if let Some(span) = definition.span.filter(|_| names) {
                places.push((definition.location, span));
            }
        }
        Ok(places)
    }

    /// All values that the user's own modules give, with their places.
    fn definitions(&self, ev: &mut Evaluator) -> Result<Vec<Described>, Error> {
        let mut all = Vec::new();
        for definition in self.evaluated.definitions(ev)? {
            if definition.file.starts_with(LIBRARY_ROOT)
                || &*definition.file == "(machine)" && definition.position.is_none()
            {
                continue;
            }
            for leaf in leaves(ev, &definition)? {
                all.push(describe(ev, &leaf));
            }
        }
        Ok(all)
    }

    /// Evaluates the options on the way to a value that the user gives to a service, whether or not anything needs it: a
    /// wrong one is never passed over.
    fn check_service(&self, ev: &mut Evaluator, names: &[std::rc::Rc<str>]) -> Result<(), Error> {
        if names.first().is_none_or(|first| &**first != "services") || names.len() < 3 {
            return Ok(());
        }
        let (option, inner) = names.split_at(2);
        let mut place = self.evaluated.options;
        for name in option {
            let Some(below) = ev.select_opt(place, name)? else { return Ok(()) };
            place = below;
        }
        // Modules in the style of NixOS declare folders of options here: those stay as lazy as they are.
        if ev.kind(place)? != Kind::Attrs || ev.select_opt(place, "service")?.is_none() {
            return Ok(());
        }
        let mut value = ev.select(self.evaluated.config, &option[0])?;
        value = ev.select(value, &option[1])?;
        for name in inner {
            if ev.kind(value)? != Kind::Attrs {
                break;
            }
            let Some(below) = ev.select_opt(value, name)? else { break };
            value = below;
        }
        ev.kind(value)?;
        Ok(())
    }

    fn check_assertions(&self, ev: &mut Evaluator, definitions: &[Described]) -> Result<(), Error> {
        let system = ev.select(self.evaluated.config, "system")?;
        let problems = ev.select(system, "serviceProblems")?;
        self.check_list(ev, problems, definitions)?;
        let assertions = ev.select(self.evaluated.config, "assertions")?;
        self.check_list(ev, assertions, definitions)
    }

    fn check_list(
        &self,
        ev: &mut Evaluator,
        assertions: Value,
        definitions: &[Described],
    ) -> Result<(), Error> {
        let mut failed: Vec<Diagnostic> = Vec::new();
        for item in ev.expect_list(assertions)? {
            let holds = ev.select(item, "assertion")?;
            if ev.expect_bool(holds)? {
                continue;
            }
            let message = ev.select(item, "message")?;
            let message = ev.expect_string_context(message)?.0;
            let options = ev.select(item, "options")?;
            let options: Vec<String> =
                serde_json::from_str(&ev.to_json(options, false)?.0).unwrap_or_default();
            let mut diagnostic = assertion(ev, item, &message, &options, definitions)?;
            if let Some(help) = ev.select_opt(item, "help")?
                && ev.kind(help)? == Kind::String
            {
                diagnostic = diagnostic.help(ev.expect_string_context(help)?.0);
            }
            failed.push(diagnostic);
        }
        let mut failed = failed.into_iter();
        let Some(mut first) = failed.next() else { return Ok(()) };
        for other in failed {
            first = first.note(format!("also: {}", other.message));
        }
        Err(Error::Evaluation(Box::new(first)))
    }
}

struct Described {
    location: String,
    names: Vec<std::rc::Rc<str>>,
    span: Option<Span>,
    value: Json,
}

fn assertion(
    ev: &mut Evaluator,
    item: Value,
    message: &str,
    options: &[String],
    definitions: &[Described],
) -> EvalResult<Diagnostic> {
    let code = match ev.select_opt(item, "code")? {
        Some(code) => ev.expect_string_context(code)?.0,
        None => String::new(),
    };
    let entry = match code.as_str() {
        "clash" => &diagnostics::clash::ENTRY,
        "cycle" => &diagnostics::cycle::ENTRY,
        "patch" => &diagnostics::patch::ENTRY,
        "requirement" => &diagnostics::requirement::ENTRY,
        _ => &diagnostics::assertion::ENTRY,
    };
    let about = match ev.select_opt(item, "about")? {
        Some(about) => serde_json::from_str(&ev.to_json(about, false)?.0).unwrap_or_default(),
        None => Json::Null,
    };
    let mut diagnostic = Diagnostic::error(entry, message);
    let mut marked: Vec<Span> = Vec::new();
    for option in options {
        let below = |location: &str| {
            location == option || location.strip_prefix(option.as_str()).is_some_and(|r| r.starts_with('.'))
        };
        let own: Vec<&Described> = definitions.iter().filter(|d| below(&d.location)).collect();
        let naming = own.iter().find(|d| !about.is_null() && holds(&d.value, &about));
        let place = naming.or(own.first()).and_then(|d| d.span);
        if let Some(span) = place
            && !marked.contains(&span)
        {
            marked.push(span);
            diagnostic = diagnostic.label(span, format!("`{option}` is defined here"));
        }
    }
    Ok(diagnostic)
}

/// Whether a value is another one, or has it in it.
fn holds(value: &Json, wanted: &Json) -> bool {
    match value {
        Json::Array(all) => all.iter().any(|one| holds(one, wanted)),
        Json::Object(all) => all.values().any(|one| holds(one, wanted)),
        one => one == wanted,
    }
}

fn locked_versions(ev: &mut Evaluator, cell: &Later<LockedVersions>) -> EvalResult<Value> {
    let Some(versions) = cell.borrow().clone() else {
        return Err(EvalError::new(
            Diagnostic::error(
                &diagnostics::needs_lock::ENTRY,
                "which packages a machine asks for depends on which packages are locked",
            )
            .help("`environment.systemPackages` and `system.extraRoots.NAME.packages` must not depend on `locked`"),
        ));
    };
    let text = serde_json::to_string(&versions).unwrap_or_default();
    ev.from_json(&text)
}

/// A weak definition of the host name, for configurations that do not say one.
fn host_name(ev: &mut Evaluator, name: &str) -> Value {
    let (tag, priority, content) = (ev.symbol("_type"), ev.symbol("priority"), ev.symbol("content"));
    let (tag_value, priority_value, text) = (ev.string("override"), ev.int(1000), ev.string(name));
    let weak = ev.attrs(&[(tag, tag_value), (priority, priority_value), (content, text)]);
    let (networking, host) = (ev.symbol("networking"), ev.symbol("hostName"));
    let inner = ev.attrs(&[(host, weak)]);
    let (file, file_name) = (ev.symbol("_file"), ev.string(LIBRARY_ROOT));
    ev.attrs(&[(networking, inner), (file, file_name)])
}

fn origin(ev: &Evaluator, span: Span, option: &str) -> Json {
    let position = ev.sources().position(span.source, span.start);
    json!({ "file": ev.sources().name(span.source), "line": position.line, "column": position.column, "option": option })
}

/// The longest text of a value that is kept as it is.
const LONGEST: usize = 200;

fn describe(ev: &mut Evaluator, leaf: &Leaf) -> Described {
    let value = match ev.kind(leaf.value) {
        Ok(Kind::Function) => Json::String("(function)".to_owned()),
        Ok(_) => match ev.to_json(leaf.value, true) {
            Ok((text, _)) if text.len() > LONGEST => {
                let hash = nival_store_model::Hash::sha256(text.as_bytes()).base16();
                let start: String = text.chars().take(60).collect();
                Json::String(format!("{start}... ({})", &hash[..12]))
            }
            Ok((text, _)) => serde_json::from_str(&text).unwrap_or(Json::Null),
            Err(_) => Json::String("(not data)".to_owned()),
        },
        Err(_) => Json::String("(error)".to_owned()),
    };
    Described {
        location: leaf.location.to_string(),
        names: leaf.location.names(),
        span: leaf.position,
        value,
    }
}
