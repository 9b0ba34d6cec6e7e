//! `nival run`

use crate::building::{self, Building};
use crate::commands::build::derivation_requests;
use crate::commands::evaluation::Evaluation;
use crate::commands::wanted::{Surroundings, Wanted};
use crate::context::Context;
use crate::error::Error;
use crate::inside::{self, Program};
use clap::Args;
use nival_build::Request;
use nival_engine::{OutputSearch, Session};
use nival_eval::{Kind, Value};
use std::ffi::OsString;
use std::process::ExitCode;

/// What can be typed behind `nival run`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    wanted: Wanted,
    /// The program's own arguments
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
    #[command(flatten)]
    surroundings: Surroundings,
    #[command(flatten)]
    evaluation: Evaluation,
    #[command(flatten)]
    building: Building,
}

/// A program, and what has to be built for it.
pub struct Found {
    /// The program's path.
    pub program: String,
    /// What has to be built before.
    pub requests: Vec<Request>,
}

/// Runs a program; its exit code is this one's.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let flakes = arguments.wanted.flakes();
    let (mut session, progress) =
        building::session(context, &arguments.evaluation, &arguments.building, &flakes)?;
    let found = context.evaluating(&mut session, |context, session| {
        let search = search(session.system());
        let value = arguments.wanted.evaluate(context, session, &arguments.evaluation, &search, false)?;
        find(session, value, &arguments.evaluation)
    });
    context.show_messages(&session);
    context.show_profile()?;
    let Found { program, requests } = found.map_err(|error| context.failed(&session, &error))?;
    let (_, code) = building::build(context, session.builds(), &progress, &requests, &arguments.building)?;
    if code != ExitCode::SUCCESS {
        return Ok(code);
    }
    let program = Program {
        name: program.into(),
        arguments: arguments.arguments.clone(),
        environment: arguments.surroundings.environment(),
    };
    Err(inside::run(context, &program))
}

/// The outputs of flakes that are looked at: apps first, then packages.
pub fn search(system: &str) -> OutputSearch {
    let mut search = OutputSearch::packages(system);
    search.defaults.splice(0..0, [format!("apps.{system}.default"), format!("defaultApp.{system}")]);
    search.prefixes.insert(0, format!("apps.{system}."));
    search
}

/// The program of an app or a package.
pub fn find(
    session: &mut Session,
    value: Value,
    evaluation: &Evaluation,
) -> Result<Found, nival_engine::Error> {
    let evaluator = session.evaluator();
    if evaluator.kind(value)? == Kind::Attrs && !evaluator.is_derivation(value)? {
        let program = evaluator.select(value, "program")?;
        let (program, elements) = evaluator.expect_string_elements(program)?;
        let mut requests = Vec::new();
        for element in elements {
            requests.push(session.request_of(&element)?);
        }
        return Ok(Found { program, requests });
    }
    let automatic = evaluation.automatic(session)?;
    let requests = derivation_requests(session, value, &automatic)?;
    let evaluator = session.evaluator();
    let folder = evaluator.select(value, "outPath")?;
    let (folder, _) = evaluator.expect_string_elements(folder)?;
    Ok(Found { program: format!("{folder}/bin/{}", main_program(session, value)?), requests })
}

/// The name of a package's program: what it says itself, else its name without the version.
fn main_program(session: &mut Session, value: Value) -> Result<String, nival_engine::Error> {
    let evaluator = session.evaluator();
    if let Some(meta) = evaluator.select_opt(value, "meta")?
        && let Some(name) = evaluator.select_opt(meta, "mainProgram")?
    {
        return Ok(evaluator.expect_string(name)?);
    }
    if let Some(name) = evaluator.select_opt(value, "pname")? {
        return Ok(evaluator.expect_string(name)?);
    }
    let name = evaluator.select(value, "name")?;
    let name = evaluator.expect_string(name)?;
    // The version begins behind the first dash that no letter follows.
    let version = name
        .match_indices('-')
        .find(|(at, _)| name[at + 1..].chars().next().is_some_and(|letter| !letter.is_ascii_alphabetic()));
    Ok(version.map_or(name.as_str(), |(at, _)| &name[..at]).to_owned())
}
