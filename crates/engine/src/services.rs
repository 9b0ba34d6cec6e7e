//! The library's services: declared once somebody wants them.

use crate::error::Error;
use crate::library::{LIBRARY_ROOT, entries};
use crate::machine::Machine;
use crate::options::OptionDescription;
use crate::session::{Later, Library, Session};
use nival_eval::{EvalResult, Evaluator, FileType, Kind, Value};
use nival_modules::{Evaluated, OnDemand};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The folder of options in which services stand.
const FOLDER: &str = "services";

/// The names of the library's services, sorted.
pub fn service_names() -> Vec<String> {
    let files = entries(FOLDER).into_iter().filter(|(_, kind)| *kind == FileType::Regular);
    let mut names: Vec<String> =
        files.filter_map(|(name, _)| name.strip_suffix(".nix").map(str::to_owned)).collect();
    names.sort();
    names
}

/// The services as options that wait; each is a function too.
pub(crate) fn on_demand(ev: &mut Evaluator, library: Library) -> OnDemand {
    let lib = library.lib;
    let options = service_names().into_iter().map(|name| {
        let symbol = ev.symbol(&name);
        let file = format!("{LIBRARY_ROOT}/{FOLDER}/{name}.nix").into();
        let option = ev.lazy(&[lib], move |ev, captures| load(ev, captures[0], &name));
        (symbol, file, option)
    });
    let options = options.collect();
    OnDemand { folder: ev.symbol(FOLDER), options }
}

/// Reads `services/NAME.nix` of the library: a function from `{ lib }` to a declaration.
fn load(ev: &mut Evaluator, lib: Value, name: &str) -> EvalResult<Value> {
    let function = ev.import(&format!("{LIBRARY_ROOT}/{FOLDER}/{name}.nix"))?;
    let lib_name = ev.symbol("lib");
    let arguments = ev.attrs(&[(lib_name, lib)]);
    let declaration = ev.call(function, &[arguments])?;
    let (symbol, text) = (ev.symbol("name"), ev.string(name));
    let named = ev.attrs(&[(symbol, text)]);
    let declaration = ev.update(named, declaration)?;
    let make = ev.select(lib, "mkService")?;
    ev.call(make, &[declaration])
}

/// What modules receive: `services`, the functions by name, and `wantedServices`, the names that some module declares or
/// sets.
pub(crate) fn arguments(
    ev: &mut Evaluator,
    waiting: &OnDemand,
    evaluated: &Later<Evaluated>,
) -> Vec<(&'static str, Value)> {
    let services: Vec<_> = waiting.options.iter().map(|(name, _, option)| (*name, *option)).collect();
    let services = ev.attrs(&services);
    let (cell, folder) = (evaluated.clone(), waiting.folder);
    let wanted = ev.lazy(&[], move |ev, _| {
        let Some(evaluated) = cell.borrow().clone() else { return Ok(ev.list(&[])) };
        let names = evaluated.wanted(ev, folder)?;
        let names: Vec<Value> = names.iter().map(|name| ev.string(name)).collect();
        Ok(ev.list(&names))
    });
    vec![("services", services), ("wantedServices", wanted)]
}

/// What a manual says of a service.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ServiceManual {
    /// Its name.
    pub name: String,
    /// What it is, in a few words.
    pub description: String,
    /// Its arguments: options below `services.NAME`, with those names.
    pub arguments: Vec<OptionDescription>,
    /// What it needs of others, by name: the interface.
    pub requires: BTreeMap<String, String>,
    /// The interfaces that it offers to others.
    pub provides: Vec<String>,
    /// Examples by name: arguments as data.
    pub examples: BTreeMap<String, Json>,
    /// What a machine needs beside the examples.
    pub beside: Option<Json>,
    /// What an administrator should know.
    pub securing: String,
    /// What an instance with the minimal example is made of: names by kind.
    pub makes: BTreeMap<String, Vec<String>>,
}

impl Session {
    /// Everything that is known of a service of the library.
    ///
    /// # Errors
    /// [`Error::UnknownService`], and what evaluating it raises.
    pub fn service_manual(&mut self, name: &str) -> Result<ServiceManual, Error> {
        if !service_names().iter().any(|known| known == name) {
            return Err(Error::UnknownService { name: name.to_owned(), known: service_names() });
        }
        let library = self.library()?;
        let ev = &mut self.evaluator;
        let services = ev.select(library.lib, "services")?;
        let make = ev.select(services, "exampleModule")?;
        let text = ev.string(name);
        let module = ev.call(make, &[text])?;
        self.manual_of(name, module)
    }

    /// Everything that is known of a service that a machine's own modules declare; `None` where they declare none of that
    /// name.
    ///
    /// # Errors
    /// What evaluating it raises.
    pub fn own_service_manual(
        &mut self,
        machine: &Machine,
        name: &str,
    ) -> Result<Option<ServiceManual>, Error> {
        let own = machine.own_services(self)?;
        let Some((_, declaration)) = own.into_iter().find(|(own, _)| own == name) else { return Ok(None) };
        let library = self.library()?;
        let ev = &mut self.evaluator;
        let services = ev.select(library.lib, "services")?;
        let make = ev.select(services, "exampleModuleOf")?;
        let text = ev.string(name);
        let module = ev.call(make, &[text, declaration])?;
        self.manual_of(name, module).map(Some)
    }

    /// The manual of a service that a module makes an example of.
    fn manual_of(&mut self, name: &str, module: Value) -> Result<ServiceManual, Error> {
        let machine = self.machine("example".to_owned(), module)?;
        let prefix = format!("{FOLDER}.{name}.");
        let options = machine.options(self)?;
        let own = ["enable", "instances", "patches", "requirements"];
        let is_argument = |rest: &str| !own.contains(&rest.split('.').next().unwrap_or_default());
        let arguments = options.into_iter().filter_map(|mut option| {
            let rest = option.name.strip_prefix(&prefix).filter(|rest| is_argument(rest))?.to_owned();
            option.name = rest;
            Some(option)
        });
        let mut manual = ServiceManual {
            name: name.to_owned(),
            arguments: arguments.collect(),
            ..ServiceManual::default()
        };
        let library = self.library()?;
        let ev = &mut self.evaluator;
        let describe = ev.select(library.lib, "services")?;
        let describe = ev.select(describe, "describe")?;
        let instances = machine.system_instances(ev)?;
        let text = ev.string(name);
        let described = ev.call(describe, &[text, instances])?;
        let json: Json = serde_json::from_str(&ev.to_json(described, false)?.0).unwrap_or_default();
        let texts = |value: &Json| serde_json::from_value(value.clone()).unwrap_or_default();
        manual.description = json["description"].as_str().unwrap_or_default().to_owned();
        manual.securing = json["securing"].as_str().unwrap_or_default().to_owned();
        manual.requires = serde_json::from_value(json["requires"].clone()).unwrap_or_default();
        manual.provides = texts(&json["provides"]);
        manual.examples = serde_json::from_value(json["examples"].clone()).unwrap_or_default();
        manual.beside = Some(json["beside"].clone()).filter(|beside| !beside.is_null());
        manual.makes = serde_json::from_value(json["makes"].clone()).unwrap_or_default();
        Ok(manual)
    }
}

impl Machine {
    /// The services that the machine's own modules declare beside the library's: their names and declarations.
    ///
    /// # Errors
    /// What evaluating the modules raises.
    pub fn own_services(&self, session: &mut Session) -> Result<Vec<(String, Value)>, Error> {
        let ev = &mut session.evaluator;
        let folder = ev.select(self.options_value(), FOLDER)?;
        let known = service_names();
        let mut own = Vec::new();
        for attribute in ev.attributes(folder)? {
            let name = ev.name(attribute.name).to_owned();
            if known.contains(&name) || ev.kind(attribute.value)? != Kind::Attrs {
                continue;
            }
            if let Some(declaration) = ev.select_opt(attribute.value, "service")? {
                own.push((name, declaration));
            }
        }
        own.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(own)
    }
}
