//! `nival flake check`

use super::{LockArguments, locked, reference, typed, with_session};
use crate::building::{self, Building};
use crate::commands::evaluation::Evaluation;
use crate::context::Context;
use crate::error::Error;
use clap::Args;
use nival_build::{Request, Wanted};
use nival_diagnostics::Diagnostic;
use nival_engine::Session;
use nival_eval::{Coercion, Kind, Value};
use std::process::ExitCode;

/// What can be typed behind `nival flake check`.
#[derive(Args)]
pub struct Arguments {
    /// The flake; that of the current folder where none is named
    flake: Option<String>,
    /// Only evaluate
    #[arg(long)]
    no_build: bool,
    /// Look at the outputs for all systems
    #[arg(long)]
    all_systems: bool,
    #[command(flatten)]
    lock: LockArguments,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    building: Building,
}

/// What was found in the outputs.
struct Found {
    requests: Vec<Request>,
    errors: Vec<(String, nival_engine::Error)>,
    omitted: Vec<String>,
}

/// Evaluates all outputs, and builds the checks.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let (mut session, progress) = building::session(
        context,
        &arguments.evaluation,
        &arguments.building,
        &typed(arguments.flake.as_deref()),
    )?;
    let found = with_session(context, &mut session, |context, session| {
        let (reference, _) = reference(session, arguments.flake.as_deref())?;
        let flags = arguments.lock.flags(session)?;
        let flake = locked(context, session, &reference, &flags)?;
        let flake = session.call_flake(&flake)?;
        let outputs = session.evaluator().select(flake, "outputs")?;
        outputs_of(context, session, outputs, arguments)
    })?;
    if !found.omitted.is_empty() {
        let systems = found.omitted.join(", ");
        let text = format!("these systems were left out: {systems}; `--all-systems` looks at them");
        let warning = Diagnostic::warning(&nival_inputs::diagnostics::NV0427, text);
        context.output.diagnostic(&warning, &nival_diagnostics::Sources::default(), 0);
    }
    let failed = !found.errors.is_empty();
    for (path, error) in &found.errors {
        context.output.say(&format!("checking `{path}` failed:"));
        context.output.error(&context.failed(&session, error));
    }
    if arguments.no_build || failed && !arguments.building.keep_going {
        return Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    let (_, code) =
        building::build(context, session.builds(), &progress, &found.requests, &arguments.building)?;
    let is_well = code == ExitCode::SUCCESS && !failed;
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn outputs_of(
    context: &Context,
    session: &mut Session,
    outputs: Value,
    arguments: &Arguments,
) -> Result<Found, nival_engine::Error> {
    let mut found = Found { requests: Vec::new(), errors: Vec::new(), omitted: Vec::new() };
    for attribute in session.evaluator().attributes(outputs)? {
        let name = session.evaluator().name(attribute.name).to_owned();
        let done = output(context, session, &name, attribute.value, arguments, &mut found);
        if let Err(error) = done {
            found.errors.push((name, error));
            if !arguments.building.keep_going {
                break;
            }
        }
    }
    Ok(found)
}

/// Looks at one output of the flake.
fn output(
    context: &Context,
    session: &mut Session,
    name: &str,
    value: Value,
    arguments: &Arguments,
    found: &mut Found,
) -> Result<(), nival_engine::Error> {
    match name {
        "packages" | "devShells" | "checks" | "apps" => {
            for (system, set) in systems(session, value, arguments, found)? {
                for (inner, value) in members(session, set)? {
                    let path = format!("{name}.{system}.{inner}");
                    member(session, name, &path, value, system == session.system(), found);
                }
            }
        }
        "defaultPackage" | "devShell" | "formatter" | "defaultApp" => {
            for (system, value) in systems(session, value, arguments, found)? {
                member(session, name, &format!("{name}.{system}"), value, false, found);
            }
        }
        "nixosConfigurations" => {
            for (inner, value) in members(session, value)? {
                let path = format!("{name}.{inner}");
                let way = ["config", "system", "build", "toplevel"];
                let mut system = Ok(value);
                for step in way {
                    system = system.and_then(|value| session.evaluator().select(value, step));
                }
                match system {
                    Ok(system) => member(session, "packages", &path, system, false, found),
                    Err(error) => found.errors.push((path, error.into())),
                }
            }
        }
        "overlays" | "nixosModules" | "templates" | "hydraJobs" | "bundlers" => {
            for (inner, value) in members(session, value)? {
                if let Err(error) = of_kind(session, name, value) {
                    found.errors.push((format!("{name}.{inner}"), error));
                }
            }
        }
        "overlay" | "nixosModule" | "defaultTemplate" => of_kind(session, name, value)?,
        "lib"
        | "legacyPackages"
        | "defaultBundler"
        | "homeConfigurations"
        | "homeModules"
        | "darwinConfigurations"
        | "darwinModules"
        | "flakeModules"
        | "flakeModule"
        | "nixopsConfigurations"
        | "schemas" => {}
        _ => {
            let text = format!("unknown flake output '{name}'");
            let warning = Diagnostic::warning(&nival_inputs::diagnostics::NV0427, text);
            context.output.diagnostic(&warning, &nival_diagnostics::Sources::default(), 0);
        }
    }
    Ok(())
}

type Members = Vec<(String, Value)>;

fn members(session: &mut Session, set: Value) -> Result<Members, nival_engine::Error> {
    let ev = session.evaluator();
    let set = ev.expect_attrs(set)?;
    let all = ev.attributes(set)?;
    Ok(all.iter().map(|attribute| (ev.name(attribute.name).to_owned(), attribute.value)).collect())
}

/// The systems that are looked at: this machine's, or all.
fn systems(
    session: &mut Session,
    set: Value,
    arguments: &Arguments,
    found: &mut Found,
) -> Result<Members, nival_engine::Error> {
    let mut all = members(session, set)?;
    if !arguments.all_systems {
        all.retain(|(system, _)| {
            let is_own = system == session.system();
            if !is_own && !found.omitted.contains(system) {
                found.omitted.push(system.clone());
            }
            is_own
        });
    }
    Ok(all)
}

/// Looks at a package, an app or a check; the last are built where they are for this machine.
fn member(session: &mut Session, kind: &str, path: &str, value: Value, is_own: bool, found: &mut Found) {
    let checked = if matches!(kind, "apps" | "defaultApp") {
        app(session, value)
    } else {
        derivation(session, value).map(|request| {
            if kind == "checks" && is_own {
                found.requests.push(request);
            }
        })
    };
    if let Err(error) = checked {
        found.errors.push((path.to_owned(), error));
    }
}

fn wrong(message: String) -> nival_engine::Error {
    let entry = &nival_engine::diagnostics::no_derivation::ENTRY;
    nival_engine::Error::Other(Box::new(Diagnostic::error(entry, message)))
}

fn derivation(session: &mut Session, value: Value) -> Result<Request, nival_engine::Error> {
    match session.installed_outputs(value)? {
        Some((drv, _)) => Ok(Request::Outputs(session.store_path(&drv)?, Wanted::All)),
        None => Err(wrong("this is not a derivation".to_owned())),
    }
}

fn app(session: &mut Session, value: Value) -> Result<(), nival_engine::Error> {
    let ev = session.evaluator();
    let kind = ev.select(value, "type")?;
    let kind = ev.expect_string_context(kind)?.0;
    if kind != "app" {
        return Err(wrong(format!("the `type` of an app is `app`, not `{kind}`")));
    }
    let program = ev.select(value, "program")?;
    ev.coerce_to_string(program, Coercion { more: false, copy_to_store: false })?;
    Ok(())
}

/// Whether what has no system is what its name says.
fn of_kind(session: &mut Session, name: &str, value: Value) -> Result<(), nival_engine::Error> {
    let ev = session.evaluator();
    match name {
        "overlay" | "overlays" | "bundlers" => {
            ev.expect_function(value)?;
        }
        "template" | "templates" | "defaultTemplate" => {
            let set = ev.expect_attrs(value)?;
            let path = ev.select(set, "path")?;
            ev.coerce_to_string(path, Coercion { more: false, copy_to_store: true })?;
            let text = ev.select(set, "description")?;
            ev.expect_string_context(text)?;
        }
        "hydraJobs" if ev.kind(value)? == Kind::Attrs && !ev.is_derivation(value)? => {
            for (_, inner) in members(session, value)? {
                of_kind(session, name, inner)?;
            }
        }
        _ => {
            ev.kind(value)?;
        }
    }
    Ok(())
}
