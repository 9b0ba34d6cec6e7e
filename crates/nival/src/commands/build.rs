//! `nival build`

use crate::building::{self, Building};
use crate::commands::evaluation::{Evaluation, Target};
use crate::commands::realise::{Source, lock_asked, packages_asked, realise};
use crate::context::{Context, absolute, current_folder};
use crate::error::Error;
use clap::Args;
use nival_build::{Request, Wanted};
use nival_engine::{Automatic, Session};
use nival_inputs::Mode;
use nival_store_model::StorePath;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What can be typed behind `nival build`.
#[derive(Args)]
pub struct Arguments {
    /// A configuration with the machines that are meant, or what is to be built: flakes such as .#name, files, derivations of the store
    targets: Vec<String>,
    /// Build what this expression gives
    #[arg(short = 'E', long, value_name = "EXPRESSION", conflicts_with = "targets")]
    expr: Option<String>,
    /// Build of this file, whatever it is called
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with_all = ["expr", "targets"])]
    file: Option<String>,
    /// Select what this path leads to; may be given several times
    #[arg(short = 'A', long = "attr", value_name = "PATH")]
    attributes: Vec<String>,
    /// Where the links to the results are made
    #[arg(short = 'o', long, value_name = "LINK", default_value = "result")]
    out_link: PathBuf,
    /// Make no links to the results
    #[arg(long, conflicts_with = "out_link")]
    no_link: bool,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    building: Building,
}

/// Builds machines or derivations.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    match machines(arguments) {
        Some((path, names)) => build_machines(context, &path, &names, arguments),
        None => build_targets(context, arguments),
    }
}

/// The configuration and the machines that are meant, where it is a configuration.
fn machines(arguments: &Arguments) -> Option<(PathBuf, Vec<String>)> {
    if arguments.expr.is_some() || arguments.file.is_some() || !arguments.attributes.is_empty() {
        return None;
    }
    let first = arguments.targets.first().map_or(".", String::as_str);
    let path = Path::new(first);
    let names = arguments.targets.get(1..).unwrap_or_default().to_vec();
    let other = path.ends_with("default.nix") || path.ends_with("flake.nix");
    let is_configuration =
        path.is_file() && first.ends_with(".nix") && !other || path.join("configuration.nix").is_file();
    is_configuration.then(|| (path.to_owned(), names))
}

fn build_machines(
    context: &mut Context,
    path: &Path,
    names: &[String],
    arguments: &Arguments,
) -> Result<ExitCode, Error> {
    let (_, machines) = realise(context, path, names, &arguments.source)?;
    let count = |manifest: &serde_json::Value, field: &str| {
        let value = &manifest[field];
        value.as_array().map(Vec::len).or_else(|| value.as_object().map(serde_json::Map::len)).unwrap_or(0)
    };
    let lines: Vec<String> = machines
        .iter()
        .map(|machine| {
            let all = |field| count(&machine.manifest, field);
            format!(
                "{}: {} packages, {} units, {} files, {} further roots",
                machine.name,
                all("packages"),
                all("units"),
                all("files"),
                all("roots")
            )
        })
        .collect();
    context.output.result(&lines.join("\n"), || {
        machines.iter().map(|machine| json!({ "name": machine.name, "manifest": machine.manifest })).collect()
    });
    Ok(ExitCode::SUCCESS)
}

fn build_targets(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let targets: Vec<Target> = match arguments.targets.is_empty() {
        true => vec![Target::parse(".")],
        false => arguments.targets.iter().map(|text| Target::parse(text)).collect(),
    };
    let plain = arguments.expr.is_some() || arguments.file.is_some();
    let other = context.take_other_store()?;
    let flakes = if plain { Vec::new() } else { Target::flakes(&targets) };
    let building = Building { source: arguments.source.clone(), ..arguments.building.clone() };
    let (mut session, progress) = building::session(context, &arguments.evaluation, &building, &flakes)?;
    lock_packages(context, &mut session, arguments, &targets)?;
    let found = requests(context, &mut session, arguments, &targets);
    context.show_messages(&session);
    let requests = found.map_err(|error| context.failed(&session, &error))?;
    if let Some(other) = other {
        let settings = arguments.evaluation.settings().map_err(|error| Error::plain(error.diagnostic()))?;
        let (builds, building) = (session.builds(), &arguments.building);
        let made = building::for_other(context, builds, &progress, &requests, building, &settings, &*other)?;
        let Some(paths) = made else { return Ok(ExitCode::FAILURE) };
        let printed: Vec<String> = paths.iter().map(|path| other.dir().print(path)).collect();
        context.output.result(&printed.join("\n"), || json!(printed));
        return Ok(ExitCode::SUCCESS);
    }
    let (answers, code) =
        building::build(context, session.builds(), &progress, &requests, &arguments.building)?;
    let made = building::made(requests, answers);
    if arguments.building.dry_run {
        return Ok(code);
    }
    let store = context.store()?;
    if !arguments.no_link && code == ExitCode::SUCCESS {
        for (name, path) in building::link_names(&arguments.out_link, &made) {
            building::link(&store, &name, &path)?;
        }
    }
    let paths: Vec<String> =
        made.iter().flat_map(|(_, outputs)| outputs.values()).map(|path| store.dir().print(path)).collect();
    if !paths.is_empty() || context.output.is_json() {
        context.output.result(&paths.join("\n"), || {
            let one = |(_, outputs): &(Request, BTreeMap<String, StorePath>)| {
                let named: serde_json::Map<_, _> = outputs
                    .iter()
                    .map(|(name, path)| (name.clone(), json!(store.dir().print(path))))
                    .collect();
                json!({ "outputs": named })
            };
            made.iter().map(one).collect()
        });
    }
    Ok(code)
}

/// Locks what files ask of Debian in their attribute `debian`, and have not locked yet.
fn lock_packages(
    context: &mut Context,
    session: &mut Session,
    arguments: &Arguments,
    targets: &[Target],
) -> Result<(), Error> {
    let mut files: Vec<PathBuf> = arguments.file.iter().map(PathBuf::from).collect();
    if arguments.expr.is_none() && arguments.file.is_none() {
        files.extend(targets.iter().filter_map(Target::plain_file));
    }
    for file in files.into_iter().map(absolute).filter(|file| file.exists()) {
        if let Some(asked) = packages_asked(context, session, &file)? {
            context.interruptible(|context| {
                lock_asked(context, &asked, &arguments.source, &Mode::Keep).map(drop)
            })?;
        }
    }
    Ok(())
}

/// What is to be built, by everything that was typed.
fn requests(
    context: &Context,
    session: &mut Session,
    arguments: &Arguments,
    targets: &[Target],
) -> Result<Vec<Request>, nival_engine::Error> {
    let automatic = arguments.evaluation.automatic(session)?;
    let base = current_folder();
    let mut roots = Vec::new();
    let mut found = Vec::new();
    if let Some(text) = &arguments.expr {
        roots.push(session.evaluate_with_library(text, &base)?);
    } else if let Some(file) = &arguments.file {
        roots.push(Target::File(file.clone(), String::new()).evaluate(context, session, &automatic)?);
    } else {
        for (text, target) in arguments.targets.iter().map(Some).chain(std::iter::repeat(None)).zip(targets) {
            match text.and_then(|text| session.stored_request(text).transpose()) {
                Some(request) => found.push(request?),
                None => roots.push(target.evaluate(context, session, &automatic)?),
            }
        }
    }
    let whole = [String::new()];
    let paths = if arguments.attributes.is_empty() { &whole[..] } else { &arguments.attributes };
    for root in roots {
        for path in paths {
            let value = session.select(root, path, &automatic)?;
            found.extend(derivation_requests(session, value, &automatic)?);
        }
    }
    Ok(found)
}

/// What a value asks to be built: of one derivation the outputs that are installed, and of sets and lists of
/// derivations the one output that each stands for.
pub fn derivation_requests(
    session: &mut Session,
    value: nival_eval::Value,
    automatic: &Automatic,
) -> Result<Vec<Request>, nival_engine::Error> {
    let value = session.call_automatically(value, automatic)?;
    if let Some((drv, outputs)) = session.installed_outputs(value)? {
        let drv = session.store_path(&drv)?;
        return Ok(vec![Request::Outputs(drv, outputs.map_or(Wanted::All, Wanted::Names))]);
    }
    if let Some(request) = session.context_request(value)? {
        return Ok(vec![request]);
    }
    single_outputs(session, value, automatic)
}

/// What a value asks to be built where each derivation stands for one of its outputs.
pub fn single_outputs(
    session: &mut Session,
    value: nival_eval::Value,
    automatic: &Automatic,
) -> Result<Vec<Request>, nival_engine::Error> {
    let mut requests: Vec<Request> = Vec::new();
    for found in session.derivations(value, automatic)? {
        let drv = session.store_path(&found.drv_path)?;
        let names = BTreeSet::from([found.output]);
        requests.push(Request::Outputs(drv, Wanted::Names(names)));
    }
    Ok(requests)
}
