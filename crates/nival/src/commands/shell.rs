//! `nival shell`

use crate::building::{self, Building};
use crate::commands::build::derivation_requests;
use crate::commands::evaluation::{Evaluation, Target};
use crate::commands::named;
use crate::commands::wanted::Surroundings;
use crate::context::{Context, current_folder};
use crate::error::Error;
use crate::inside;
use clap::Args;
use nival_build::Request;
use nival_diagnostics::Diagnostic;
use nival_os::manifest::Content;
use nival_os::{Machines, Program};
use nival_store::LocalStore;
use nival_store_model::StorePath;
use std::collections::VecDeque;
use std::io::IsTerminal as _;
use std::process::ExitCode;

/// What can be typed behind `nival shell`.
#[derive(Args)]
pub struct Arguments {
    /// A machine's name, or the configuration that it was started from; where there is no such machine, packages whose
    /// programs are to be at hand, such as .#name
    #[arg(required_unless_present = "expr")]
    targets: Vec<String>,
    /// As which user of the machine
    #[arg(long, short, value_name = "USER", default_value = "root")]
    user: String,
    /// The command with its arguments; without one, the user's shell
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// As the words behind `--`, for packages
    #[arg(short = 'c', long = "command", num_args = 1.., allow_hyphen_values = true, value_name = "COMMAND")]
    program: Vec<String>,
    /// Packages that this expression gives
    #[arg(short = 'E', long, value_name = "EXPRESSION")]
    expr: Option<String>,
    #[command(flatten)]
    surroundings: Surroundings,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    building: Building,
}

/// Runs a command in a machine, or with packages at hand; its exit code is this program's.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let machines = context.machines();
    let machine = match arguments.targets.as_slice() {
        // What could be no path and no flake is a machine that is not there, and is told as such.
        [only] if machines.known(only).is_ok() || is_plain_name(only) => only,
        [only] => match named::started_from(&machines, only) {
            Some(Ok(found)) => &one_of(only, &found)?,
            _ => return with_packages(context, arguments),
        },
        _ => return with_packages(context, arguments),
    };
    machines.known(machine)?;
    let environment =
        if arguments.user == "root" { root_environment(&machines, machine) } else { Vec::new() };
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let program =
        Program { command: arguments.command.clone(), user: arguments.user.clone(), terminal, environment };
    let code = machines.exec(machine, &program)?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// The only machine of those that were started from a path.
fn one_of(path: &str, found: &[String]) -> Result<String, Error> {
    match found {
        [only] => Ok(only.clone()),
        _ => Err(named::several(path, found)),
    }
}

fn is_plain_name(word: &str) -> bool {
    !word.contains(['#', ':', '/', '.', '<']) && !std::path::Path::new(word).exists()
}

/// Builds packages and runs a command, or the user's shell, with their programs in front of PATH.
fn with_packages(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let targets: Vec<Target> = arguments.targets.iter().map(|text| Target::parse(text)).collect();
    let flakes = if arguments.expr.is_some() { Vec::new() } else { Target::flakes(&targets) };
    let (mut session, progress) =
        building::session(context, &arguments.evaluation, &arguments.building, &flakes)?;
    let requests = context.evaluating(&mut session, |context, session| {
        let automatic = arguments.evaluation.automatic(session)?;
        let mut requests: Vec<Request> = Vec::new();
        if let Some(text) = &arguments.expr {
            let value = session.evaluate_with_library(text, &current_folder())?;
            requests.extend(derivation_requests(session, value, &automatic)?);
        }
        for (text, target) in arguments.targets.iter().zip(&targets) {
            if let Some(request) = session.stored_request(text)? {
                requests.push(request);
                continue;
            }
            let value = target.evaluate(context, session, &automatic)?;
            requests.extend(derivation_requests(session, value, &automatic)?);
        }
        Ok(requests)
    });
    context.show_messages(&session);
    context.show_profile()?;
    let requests = requests.map_err(|error| context.failed(&session, &error))?;
    let (answers, code) =
        building::build(context, session.builds(), &progress, &requests, &arguments.building)?;
    if code != ExitCode::SUCCESS {
        return Ok(code);
    }
    let outputs = answers.into_iter().filter_map(Result::ok).flat_map(|made| made.into_values()).collect();
    let typed = if arguments.program.is_empty() { &arguments.command } else { &arguments.program };
    Err(with_outputs(context, outputs, &arguments.surroundings, typed))
}

/// Replaces this process by a command, or the user's shell, with the programs of some paths in front of PATH; returns
/// only with an error.
pub fn with_outputs(
    context: &mut Context,
    outputs: Vec<StorePath>,
    surroundings: &Surroundings,
    typed: &[String],
) -> Error {
    let folders = match program_folders(context, outputs) {
        Ok(folders) => folders,
        Err(error) => return error,
    };
    let mut environment = surroundings.environment();
    let before = environment.iter().position(|(name, _)| name == "PATH").map(|at| environment.remove(at).1);
    let mut path = std::ffi::OsString::from(folders.join(":"));
    if let Some(before) = before.filter(|before| !before.is_empty()) {
        path.push(":");
        path.push(before);
    }
    environment.push(("PATH".into(), path));
    let shell = std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
    let (name, rest) = match typed.split_first() {
        Some((name, rest)) => (name.into(), rest.iter().map(Into::into).collect()),
        None => (shell, Vec::new()),
    };
    inside::run(context, &inside::Program { name, arguments: rest, environment })
}

/// The folders of the programs that some paths have, and of what they want at hand with them.
fn program_folders(context: &mut Context, outputs: Vec<StorePath>) -> Result<Vec<String>, Error> {
    let store = context.store()?;
    let mut todo = VecDeque::from(outputs);
    let mut folders: Vec<String> = Vec::new();
    while let Some(path) = todo.pop_front() {
        let (path, inner) = followed(&store, &path)?;
        let folder = format!("{}{inner}/bin", store.dir().print(&path));
        if folders.contains(&folder) {
            continue;
        }
        folders.push(folder);
        // Packages name what has to be at hand with them.
        let more =
            std::fs::read_to_string(store.physical(&path).join("nix-support/propagated-user-env-packages"));
        let more = more.unwrap_or_default();
        todo.extend(more.split_whitespace().filter_map(|word| store.dir().parse(word).ok()));
    }
    Ok(folders)
}

/// Where a path leads that is itself a link: into the store, and nowhere else.
fn followed(store: &LocalStore, path: &StorePath) -> Result<(StorePath, String), Error> {
    let mut place = (path.clone(), String::new());
    for _ in 0..40 {
        let physical = match place.1.trim_start_matches('/') {
            "" => store.physical(&place.0),
            inner => store.physical(&place.0).join(inner),
        };
        let Ok(target) = physical.read_link() else { break };
        let target = target.to_string_lossy().into_owned();
        let (next, rest) = store.dir().parse_prefix(&target).map_err(|_| not_in_store(&target))?;
        place = (next, rest.to_owned());
    }
    Ok(place)
}

fn not_in_store(target: &str) -> Error {
    let message = format!("path '{target}' is not in the Nix store, and the package is only a link to it");
    Error::plain(
        Diagnostic::error(&crate::diagnostics::cannot_run::ENTRY, message)
            .help("a package whose output is a link must lead to another path of the store"),
    )
}

/// The variables that `environment.rootVariables` gives to the machine's root.
fn root_environment(machines: &Machines, name: &str) -> Vec<(String, String)> {
    let Ok(folder) = machines.known(name) else { return Vec::new() };
    let state = folder.state();
    let Some(manifest) = state.current().and_then(|number| state.manifest(number).ok()) else {
        return Vec::new();
    };
    let file = manifest.root.files.get("/etc/nival/root-environment");
    let Some(Content::Text(text)) = file.map(|file| &file.content) else { return Vec::new() };
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
