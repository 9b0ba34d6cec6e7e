//! The library's services: declared once somebody wants them.

use crate::library::{LIBRARY_ROOT, entries};
use crate::session::{Later, Library};
use nival_eval::{EvalResult, Evaluator, FileType, Value};
use nival_modules::{Evaluated, OnDemand};

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
        let option = ev.lazy(&[lib], move |ev, captures| load(ev, captures[0], &name));
        (symbol, option)
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
    let services = ev.attrs(&waiting.options);
    let (cell, folder) = (evaluated.clone(), waiting.folder);
    let wanted = ev.lazy(&[], move |ev, _| {
        let Some(evaluated) = cell.borrow().clone() else { return Ok(ev.list(&[])) };
        let names = evaluated.wanted(ev, folder)?;
        let names: Vec<Value> = names.iter().map(|name| ev.string(name)).collect();
        Ok(ev.list(&names))
    });
    vec![("services", services), ("wantedServices", wanted)]
}
